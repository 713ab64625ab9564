#pragma once
#include "../../CNetfilterSystem/shim.h"

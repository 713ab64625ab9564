#pragma once
#include "../../CMicroHTTPSystem/shim.h"

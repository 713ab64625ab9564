#pragma once
#include "../../CCurlSystem/shim.h"

#pragma once
#include "../../CCryptoSystem/shim.h"

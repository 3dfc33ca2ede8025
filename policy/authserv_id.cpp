#include "policy/rules.hpp"

#include "policy/authentication_results.hpp"

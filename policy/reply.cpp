#include "policy/reply.hpp"

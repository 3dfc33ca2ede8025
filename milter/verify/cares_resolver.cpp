#include "milter/verify/cares_resolver.hpp"

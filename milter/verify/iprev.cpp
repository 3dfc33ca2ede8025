#include "milter/verify/iprev.hpp"

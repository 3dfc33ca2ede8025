#include "milter/verify/spf.hpp"

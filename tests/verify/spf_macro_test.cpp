#include "milter/verify/spf_macro.hpp"

#include "milter/verify/spf_name.hpp"

#include "milter/verify/spf_mechanism.hpp"

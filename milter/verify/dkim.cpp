#include "milter/verify/dkim.hpp"

#include "milter/verify/spf_record.hpp"

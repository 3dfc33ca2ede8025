#include "milter/verify/dns_cache.hpp"

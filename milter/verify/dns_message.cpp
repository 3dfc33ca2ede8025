#include "milter/verify/dns_message.hpp"

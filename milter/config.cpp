#include "milter/config.hpp"

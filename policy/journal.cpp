#include "policy/journal.hpp"

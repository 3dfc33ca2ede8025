#include "milter/config.hpp"

#include <doctest/doctest.h>

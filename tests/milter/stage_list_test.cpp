#include "milter/stage_list.hpp"
#include "tests/milter/config_makers.hpp"

using milter::stage_list;

TEST_CASE("stage list: every selector in a word, and the rest") {
    const auto config = config_of(R"(
rollout.key = "file:/rollout.key"
[[stage]]
name = "partners"
mode = "enforce"
networks = ["2001:db8:8::/48", "2001:db8:8:1::/64", "2001:db8:9::25"]
[[stage]]
name = "x"
mode = "closed"
reverse_names = [".example.org"]
authenticated = ["example.org", "example.net"]
recipients = ["*@example.org"]
listeners = [":25", ":26"]
percent = 12.5
from = 2027-01-31T08:00:00+01:00
until = 2027-02-28T08:00:00Z
)",
                                  rollout_files);
    CHECK(stage_list(config.policy) ==
          "  1  partners  enforce  2 networks\n"
          "  2  x         closed   2 listeners, from 2027-01-31 07:00 UTC, until 2027-02-28 08:00 "
          "UTC, 12.5 percent of senders, 1 recipient, 1 reverse name, 2 authenticated domains\n"
          "  3  default   observe  the rest\n");
    CHECK(stage_list(config_of("").policy) == "  1  default  observe  the rest\n");
}

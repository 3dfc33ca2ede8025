#include "milter/store/fallback_memory.hpp"
#include "tests/store/fallback_ledger_contract.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using store::OpenMessages;
using store::RecentArrivals;

TEST_CASE("open messages are known by fingerprint, by age and by site") {
    const auto network = policy::Address::parse("2001:db8:5::").value();
    const auto same_site = policy::Address::parse("2001:db8:5:ffff::").value();
    const auto other_site = policy::Address::parse("2001:db8:6::").value();
    OpenMessages open;
    open.add(tests::fingerprint(1), tests::noon, network);
    open.add(tests::fingerprint(1), tests::noon + 1h, other_site); // stays as it is
    open.add(tests::fingerprint(2), tests::noon - 1h, same_site);
    open.add(tests::fingerprint(3), tests::noon - 2h, other_site);
    CHECK(open.size() == 3);
    CHECK(open.first_of(tests::fingerprint(1)) == tests::noon);
    CHECK_FALSE(open.first_of(tests::fingerprint(4)));
    CHECK(open.of_site(same_site) == 2);
    CHECK(open.of_site(other_site) == 1);

    CHECK(open.expire(tests::noon, 1) == 1); // the oldest
    CHECK_FALSE(open.contains(tests::fingerprint(3)));
    CHECK(open.of_site(other_site) == 0);
    CHECK(open.expire(tests::noon, 9) == 1);
    CHECK(open.expire(tests::noon, 9) == 0);
    open.remove(tests::fingerprint(2)); // is not there
    open.remove(tests::fingerprint(1));
    CHECK(open.size() == 0);
    CHECK(open.of_site(network) == 0);
    CHECK(open.expire(tests::noon + 1h, 9) == 0);
}

TEST_CASE("of arrivals the first is found that is late enough") {
    using policy::Recovery;
    using policy::RecoveryKind;
    RecentArrivals recent{3};
    const auto began = RecentArrivals::Clock::now();
    recent.add({tests::fingerprint(1), {RecoveryKind::ipv4, tests::noon}}, began);
    recent.add({tests::fingerprint(1), {RecoveryKind::mended, tests::noon + 1h}}, began + 1s);
    recent.add({tests::fingerprint(2), {RecoveryKind::ipv4, tests::noon + 2h}}, began + 2s);
    CHECK(recent.first_since(tests::fingerprint(1), tests::noon) ==
          Recovery{RecoveryKind::ipv4, tests::noon});
    CHECK(recent.first_since(tests::fingerprint(1), tests::noon + 1ms) ==
          Recovery{RecoveryKind::mended, tests::noon + 1h});
    CHECK_FALSE(recent.first_since(tests::fingerprint(1), tests::noon + 2h));
    CHECK_FALSE(recent.first_since(tests::fingerprint(3), tests::noon));

    recent.add({tests::fingerprint(3), {RecoveryKind::ipv4, tests::noon}},
               began + 3s); // and the oldest goes
    CHECK(recent.first_since(tests::fingerprint(1), tests::noon) ==
          Recovery{RecoveryKind::mended, tests::noon + 1h});
    CHECK(recent.expire(began + 3s, 1) == 1);
    CHECK(recent.expire(began + 3s, 5) == 1);
    CHECK_FALSE(recent.first_since(tests::fingerprint(1), tests::noon));
    CHECK_FALSE(recent.first_since(tests::fingerprint(2), tests::noon));
    CHECK(recent.first_since(tests::fingerprint(3), tests::noon));
}

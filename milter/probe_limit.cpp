#include "milter/probe_limit.hpp"

namespace milter {

bool ProbeLimit::allows(const policy::Address& client, policy::Time now) {
    const std::lock_guard lock{mutex_};
    const bool is_over = now - hour_began_ >= std::chrono::hours{1} || now < hour_began_;
    if (is_over) {
        hour_began_ = now;
        answered_.clear();
    }
    const policy::Address network = policy::network_of(client).address;
    if (answered_.size() >= most_networks && !answered_.contains(network)) {
        return false;
    }
    unsigned& answered = answered_[network];
    if (answered >= most_an_hour) {
        return false;
    }
    ++answered;
    return true;
}

} // namespace milter

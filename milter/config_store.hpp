// The configuration in force and the resolver that goes with it. Shared by all sessions.
#pragma once

#include "milter/config.hpp"
#include "milter/verify/resolver.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace milter {

// What one message is judged with. Does not change once it is in force.
struct Setup {
    Config config; // with the name servers that are in fact asked
    std::shared_ptr<verify::Resolver> resolver;
};

// A message takes the setup once, at its MAIL, and keeps it to its end, so that a reload never
// changes the rules in the middle of a message.
class ConfigStore {
public:
    explicit ConfigStore(std::shared_ptr<const Setup> setup) : current_{std::move(setup)} {}

    std::shared_ptr<const Setup> current() const {
        const std::lock_guard lock{mutex_};
        return current_;
    }

    void replace(std::shared_ptr<const Setup> setup) {
        const std::lock_guard lock{mutex_};
        current_.swap(setup); // the old one is released after the lock
    }

private:
    mutable std::mutex mutex_; // guards current_
    std::shared_ptr<const Setup> current_;
};

} // namespace milter

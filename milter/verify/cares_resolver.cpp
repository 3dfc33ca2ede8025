#include "milter/verify/cares_resolver.hpp"

#include "milter/verify/cares_channel.hpp"
#include "milter/verify/dns_event_loop.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace verify {

namespace {

using std::chrono::steady_clock;

std::vector<DnsServer> servers_of(const DnsSettings& settings) {
    if (settings.servers.empty()) {
        return servers_of_system();
    }
    std::vector<DnsServer> servers;
    for (const auto& text : settings.servers) {
        const auto server = DnsServer::parse(text);
        if (!server) {
            throw std::runtime_error{"DnsServer::parse: \"" + text +
                                     "\" is no address of a DNS server"};
        }
        servers.push_back(*server);
    }
    return servers;
}

AnswerPtr failure(LookupFailure kind) {
    return std::make_shared<const Answer>(tl::unexpected{kind});
}

std::shared_ptr<PendingAnswer> resolved(AnswerPtr answer) {
    auto pending = std::make_shared<PendingAnswer>();
    pending->resolve(std::move(answer));
    return pending;
}

} // namespace

CaresResolver::CaresResolver(const DnsSettings& settings)
    : servers_{servers_of(settings)}, timeout_{settings.timeout}, cache_{settings.cache_octets},
      loop_{std::make_unique<DnsEventLoop>(
          servers_, timeout_, [this](Finished finished) { finish(std::move(finished)); })} {}

CaresResolver::~CaresResolver() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    loop_.reset(); // no finish() from here on
    const auto failed = failure(LookupFailure::server_failure);
    for (const auto& [question, pending] : std::exchange(under_way_, {})) {
        pending->resolve(failed); // may ask on, and is told the same
    }
}

std::shared_ptr<PendingAnswer> CaresResolver::ask(const Question& question) {
    const std::lock_guard lock{mutex_};
    if (auto cached = cache_.find(question, steady_clock::now()); cached != nullptr) {
        ++counters_.cache_hits;
        return resolved(std::move(cached));
    }
    if (const auto same = under_way_.find(question); same != under_way_.end()) {
        ++counters_.coalesced;
        return same->second;
    }
    if (is_stopping_) {
        return resolved(failure(LookupFailure::server_failure));
    }
    return submit(question);
}

// Under the lock, so that deadlines rise and an answer finds who waits for it.
std::shared_ptr<PendingAnswer> CaresResolver::submit(const Question& question) {
    auto pending = std::make_shared<PendingAnswer>();
    loop_->submit({question, pending, steady_clock::now() + timeout_});
    under_way_.emplace(question, pending);
    ++counters_.questions;
    return pending;
}

// On the event thread. What comes after its deadline has spoken is still good for the cache, and
// for whoever has asked the same since; a failure that comes so late is of no use to anybody.
void CaresResolver::finish(Finished finished) {
    const auto now = steady_clock::now();
    finished.result.answer.asked = finished.asked.deadline - timeout_;
    finished.result.answer.answered = now;
    const auto answer = std::make_shared<const Answer>(std::move(finished.result.answer));
    std::shared_ptr<PendingAnswer> pending;
    {
        const std::lock_guard lock{mutex_};
        const auto& question = finished.asked.question;
        const auto current = under_way_.find(question);
        const bool is_awaited = current != under_way_.end();
        const bool is_late = !is_awaited || current->second != finished.asked.pending;
        if (is_late && !*answer && is_temporary(answer->error())) {
            return;
        }
        cache_.store(question, answer, finished.result.ttl, now);
        if (is_awaited) {
            pending = current->second;
            under_way_.erase(current);
            count(*answer);
        }
    }
    if (pending != nullptr) {
        pending->resolve(answer); // without the lock: it calls whoever waits
    }
}

void CaresResolver::count(const Answer& answer) {
    if (answer) {
        return;
    }
    if (answer.error() == LookupFailure::timeout) {
        ++counters_.timeouts;
    } else if (answer.error() == LookupFailure::server_failure) {
        ++counters_.failures;
    }
}

DnsCounters CaresResolver::counters() const {
    const std::lock_guard lock{mutex_};
    DnsCounters counters = counters_;
    counters.cached_octets = cache_.octets();
    return counters;
}

} // namespace verify

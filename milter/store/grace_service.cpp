#include "milter/store/grace_service.hpp"

#include <exception>
#include <utility>

namespace store {

GraceService::GraceService(Open open,
                           UnusedSince unused_since,
                           OnChange on_change,
                           GraceTimes times)
    : open_{std::move(open)}, unused_since_{std::move(unused_since)},
      on_change_{std::move(on_change)}, times_{times}, thread_{[this] { run(); }} {}

GraceService::~GraceService() {
    close();
}

void GraceService::close() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    asked_.notify_one();
    answered_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

GraceHealth GraceService::health() const {
    const std::lock_guard lock{mutex_};
    return health_;
}

std::optional<GraceRecord>
GraceService::count(const GraceKey& key, policy::Time time, std::chrono::milliseconds period) {
    const auto request = std::make_shared<Request>(Request{key, time, period});
    std::unique_lock lock{mutex_};
    if (is_ending_ || Clock::now() < resumes_) {
        ++health_.unanswered;
        return std::nullopt;
    }
    queue_.push_back(request);
    asked_.notify_one();
    answered_.wait_for(lock, times_.patience, [&] { return request->is_done || is_ending_; });
    if (!request->is_done) {
        request->is_wanted = false;
        resumes_ = Clock::now() + times_.pause;
        ++health_.unanswered;
    }
    return request->record;
}

// Null where there is none, and it is time to trim or to end.
std::shared_ptr<GraceService::Request>
GraceService::next_request(std::unique_lock<std::mutex>& lock) {
    asked_.wait_for(lock, times_.trim, [this] { return is_ending_ || !queue_.empty(); });
    while (!is_ending_ && !queue_.empty()) {
        auto request = std::move(queue_.front());
        queue_.pop_front();
        if (request->is_wanted) {
            return request;
        }
    }
    return nullptr;
}

void GraceService::run() {
    std::unique_lock lock{mutex_};
    while (!is_ending_) {
        const auto request = next_request(lock);
        if (is_ending_) {
            return;
        }
        lock.unlock();
        serve(request.get());
        lock.lock();
    }
}

std::string GraceService::answer(Request& request) {
    std::string trouble;
    std::optional<GraceRecord> record;
    try {
        if (!ledger_) {
            ledger_ = open_();
        }
        record = ledger_->count(request.key, request.time, request.period);
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    {
        const std::lock_guard lock{mutex_};
        request.record = record;
        request.is_done = true;
        health_.counted += record ? 1U : 0U;
        health_.without_room += trouble.empty() && !record ? 1U : 0U;
        health_.unanswered += trouble.empty() ? 0U : 1U;
    }
    answered_.notify_all();
    return trouble;
}

std::string GraceService::trim_when_due() {
    if (!ledger_ || Clock::now() < next_trim_) {
        return "";
    }
    try {
        ledger_->trim(unused_since_());
        next_trim_ = Clock::now() + times_.trim;
        return "";
    } catch (const std::exception& error) {
        return error.what();
    }
}

void GraceService::serve(Request* request) {
    std::string trouble = request == nullptr ? "" : answer(*request);
    if (trouble.empty()) {
        trouble = trim_when_due(); // nobody waits for that
    }
    note(trouble);
}

void GraceService::note(const std::string& trouble) {
    GraceHealth health;
    {
        const std::lock_guard lock{mutex_};
        health_.trouble = trouble;
        if (!trouble.empty()) {
            resumes_ = Clock::now() + times_.pause;
        }
        health = health_;
    }
    if (!trouble.empty()) {
        ledger_.reset();
    }
    if (std::exchange(is_told_, !trouble.empty()) != is_told_) {
        on_change_(health);
    }
}

} // namespace store

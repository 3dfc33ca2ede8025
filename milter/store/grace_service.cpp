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
        is_late_ = !is_ending_;
        asked_.notify_one();
    }
    return request->record;
}

// Null where there is none, and it is time to tell, to trim or to end.
std::shared_ptr<GraceService::Request>
GraceService::next_request(std::unique_lock<std::mutex>& lock) {
    asked_.wait_for(
        lock, times_.trim, [this] { return is_ending_ || is_late_ || !queue_.empty(); });
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
        health_.unanswered += !trouble.empty() && request.is_wanted ? 1U : 0U; // else it is already
    }
    answered_.notify_all();
    return trouble;
}

// Also what was counted before the policy had no grace any more: for that a ledger is opened which
// nobody waits for, and whose trouble is nobody's.
std::string GraceService::trim_when_due() {
    if (Clock::now() < next_trim_) {
        return "";
    }
    next_trim_ = Clock::now() + times_.trim;
    const bool is_used = ledger_ != nullptr;
    std::string trouble;
    try {
        const auto opened = is_used ? nullptr : open_();
        (is_used ? *ledger_ : *opened).trim(unused_since_());
    } catch (const std::exception& error) {
        trouble = is_used ? error.what() : "";
    }
    return trouble;
}

void GraceService::serve(Request* request) {
    std::string trouble = request == nullptr ? "" : answer(*request);
    if (trouble.empty()) {
        trouble = trim_when_due(); // nobody waits for that
    }
    if (!trouble.empty()) {
        ledger_.reset();
        note_trouble(trouble);
        return;
    }
    bool is_late = false;
    {
        const std::lock_guard lock{mutex_};
        is_late = std::exchange(is_late_, false);
    }
    if (is_late) {
        note_trouble("does not answer within " + std::to_string(times_.patience.count()) + " ms");
    } else if (request != nullptr) {
        note_answer();
    }
}

void GraceService::note_trouble(const std::string& trouble) {
    last_trouble_ = Clock::now();
    GraceHealth health;
    bool is_known = false;
    {
        const std::lock_guard lock{mutex_};
        is_late_ = false;
        resumes_ = last_trouble_ + times_.pause;
        is_known = !std::exchange(health_.trouble, trouble).empty();
        health = health_;
    }
    if (!is_known) {
        on_change_(health);
    }
}

// A store that is well by turns is in trouble all the while.
void GraceService::note_answer() {
    GraceHealth health;
    {
        const std::lock_guard lock{mutex_};
        if (health_.trouble.empty() || Clock::now() < last_trouble_ + times_.calm) {
            return;
        }
        health_.trouble.clear();
        health = health_;
    }
    on_change_(health);
}

} // namespace store

#include "milter/timeline.hpp"

#include "policy/words.hpp"

#include <algorithm>

namespace milter {

namespace {

constexpr auto event_words = std::to_array<policy::Word<SessionEvent>>({
    {SessionEvent::connect, "connect"},
    {SessionEvent::helo, "HELO"},
    {SessionEvent::mail, "MAIL"},
    {SessionEvent::end_of_header, "end of header"},
    {SessionEvent::end_of_message, "end of message"},
    {SessionEvent::verdict, "verdict"},
});

std::size_t place_of(SessionEvent event) {
    return static_cast<std::size_t>(event);
}

} // namespace

std::string_view to_string(SessionEvent event) {
    return policy::word_for(event_words, event);
}

void Timeline::note(SessionEvent event) {
    const auto place = times_.begin() + static_cast<std::ptrdiff_t>(place_of(event));
    *place = std::chrono::steady_clock::now();
    std::fill(place + 1, times_.end(), std::nullopt);
}

std::optional<Timeline::TimePoint> Timeline::at(SessionEvent event) const {
    return times_[place_of(event)];
}

} // namespace milter

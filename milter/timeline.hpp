// When the events of a connection and of its message came, for whoever asks where the time goes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace milter {

enum class SessionEvent : std::uint8_t {
    connect,
    helo,
    mail,
    end_of_header,
    end_of_message,
    verdict
};

inline constexpr auto all_events = std::to_array<SessionEvent>({SessionEvent::connect,
                                                                SessionEvent::helo,
                                                                SessionEvent::mail,
                                                                SessionEvent::end_of_header,
                                                                SessionEvent::end_of_message,
                                                                SessionEvent::verdict});

std::string_view to_string(SessionEvent event); // "end of header"

class Timeline {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    // It comes now. What is later of an earlier message is forgotten.
    void note(SessionEvent event);

    // The last time that it came; empty where it has not.
    std::optional<TimePoint> at(SessionEvent event) const;

private:
    std::array<std::optional<TimePoint>, all_events.size()> times_{};
};

} // namespace milter

// One channel of c-ares: questions go in, packets come back read. The only file that knows c-ares.
#pragma once

#include "milter/verify/dns_message.hpp"
#include "milter/verify/dns_server.hpp"
#include "milter/verify/resolver.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct ares_channeldata;

namespace verify {

// A question under way, and who waits for it.
struct Asked {
    Question question;
    std::shared_ptr<PendingAnswer> pending;
    Deadline deadline;
    int reconnections = 0; // how often it was asked anew, because its connection ended
};

struct Finished {
    Asked asked;
    TimedAnswer result{tl::unexpected{LookupFailure::server_failure}};
    // A TCP connection ended, maybe under another question that shared it. c-ares 1.18 then gives
    // up all that were on their way to that server; to ask at once again may help.
    bool is_cut_off = false;
};

// The servers that resolv.conf names; the one on the loopback where it names none. Throws
// std::runtime_error.
std::vector<DnsServer> servers_of_system();

// Used by one thread at a time. Never blocks.
class CaresChannel {
public:
    // What must be watched for it.
    struct Socket {
        int number = -1;
        bool awaits_reading = false;
        bool awaits_writing = false;
    };

    // Every server is tried, twice, within `timeout`; a third round comes after it, for the
    // caller who may still use a late answer. Throws std::runtime_error, naming the call.
    CaresChannel(const std::vector<DnsServer>& servers, std::chrono::milliseconds timeout);

    // Its result will be among those of take_finished(); maybe at once.
    void ask(Asked asked);

    void process_readable(int socket);
    void process_writable(int socket);
    void process_timeouts(); // call it at next_timeout()

    std::list<Finished> take_finished() { return std::exchange(finished_, {}); }

    const std::vector<Socket>& sockets() const { return sockets_; }

    // When process_timeouts() has something to do, if nothing happens before.
    Deadline next_timeout() const { return next_timeout_; }

    std::size_t under_way() const { return under_way_; }

    std::size_t asked() const { return asked_; } // since it was made

    bool has_finished() const { return !finished_.empty(); } // what take_finished() would take

private:
    struct Query;

    struct Destroy {
        void operator()(ares_channeldata* channel) const noexcept;
    };

    static void on_socket(void* self, int socket, int readable, int writable) noexcept;
    static void on_answer(void* query, int status, int timeouts, unsigned char*, int) noexcept;

    void watch(Socket socket);
    void process(int readable, int writable);

    std::vector<Socket> sockets_;
    std::list<Finished> finished_;
    std::size_t under_way_ = 0;
    std::size_t asked_ = 0;
    bool has_used_tcp_ = false; // since it was idle
    Deadline next_timeout_ = Deadline::max();
    std::unique_ptr<ares_channeldata, Destroy>
        channel_; // last: its end calls on_socket and on_answer
};

} // namespace verify

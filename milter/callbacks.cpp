#include "milter/callbacks.hpp"

#include "milter/libmilter_mta.hpp"
#include "milter/listening_socket.hpp"
#include "policy/ascii.hpp"
#include "policy/decide.hpp"
#include "policy/journal.hpp"
#include "policy/stage_choice.hpp"

#include <libmilter/mfapi.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>

namespace milter {

namespace {

// libmilter gives its callbacks no pointer of ours, so this one is global. Set once, before
// smfi_main().
const Services* services = nullptr;

// The steps agreed on last. Only for a connection that is handed on (SMFIC_QUIT_NC): it comes
// without a negotiation of its own, and all connections of one MTA agree on the same.
std::atomic<unsigned long> last_agreed_steps{0};

// After smfi_main() has returned, threads of libmilter may still be in an event, or about to begin
// one. None may begin once it is set that the program ends, because what it would use may be gone.
std::atomic<bool> is_ending{false};
std::atomic<sfsistat> answer_at_the_end{SMFIS_TEMPFAIL};
std::atomic<int> events_under_way{0};

class Event {
public:
    Event() { ++events_under_way; }

    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    ~Event() { --events_under_way; }

    // Asked after it is counted, so that whoever waits for the count sees it or is seen by it.
    static bool may_begin() { return !is_ending; }
};

Session::Answers answers_in(unsigned long steps) {
    return {(steps & SMFIP_NR_HELO) == 0, (steps & SMFIP_NR_RCPT) == 0};
}

// What hangs on a connection.
struct Connection {
    Connection(SMFICTX* context, unsigned long agreed)
        : steps{agreed}, mta{context, agreed}, session{*services, mta, answers_in(agreed)} {}

    unsigned long steps;
    LibmilterMta mta;
    Session session;
};

// All that there are. libmilter does not close those that are open when it ends.
class Connections {
public:
    Connection* add(std::unique_ptr<Connection> connection) {
        const std::lock_guard lock{mutex_};
        Connection* const key = connection.get();
        return all_.emplace(key, std::move(connection)).first->first;
    }

    void remove(Connection* connection) {
        decltype(all_)::node_type removed; // destroyed after the lock
        const std::lock_guard lock{mutex_};
        removed = all_.extract(connection);
    }

    void remove_all() {
        const std::lock_guard lock{mutex_};
        all_.clear();
    }

private:
    std::mutex mutex_; // guards all_
    std::unordered_map<Connection*, std::unique_ptr<Connection>> all_;
};

Connections connections;

Connection* connection_of(SMFICTX* context) {
    return static_cast<Connection*>(smfi_getpriv(context));
}

sfsistat status_of(Answer answer) {
    switch (answer) {
    case Answer::proceed: return SMFIS_CONTINUE;
    case Answer::accept: return SMFIS_ACCEPT;
    case Answer::tempfail: return SMFIS_TEMPFAIL;
    case Answer::reject: return SMFIS_REJECT;
    }
    return SMFIS_TEMPFAIL;
}

void log_trouble(const char* event, const char* what) noexcept {
    try {
        services->log.write(LogLevel::error,
                            "event=" + std::string{event} + policy::logfmt("error", what));
    } catch (...) {
        services->log.write(LogLevel::error, "event failed, out of memory");
    }
}

// Makes the session that on_close() ends. Throws where there is no memory for it.
void make_connection(SMFICTX* context, unsigned long steps) {
    Connection* const added = connections.add(std::make_unique<Connection>(context, steps));
    if (smfi_setpriv(context, added) != MI_SUCCESS) {
        connections.remove(added);
        throw std::runtime_error{"smfi_setpriv failed"};
    }
}

sfsistat status_in_trouble() {
    return status_of(
        answer_of(policy::action_in_trouble(services->configs.current()->config.policy)));
}

// Where there was no memory for a session, or the program is about to end.
sfsistat answer_without_session() noexcept {
    try {
        return is_ending ? answer_at_the_end.load() : status_in_trouble();
    } catch (const std::exception&) {
        return SMFIS_TEMPFAIL;
    }
}

// Runs one event, and nothing where it threw. Exceptions of sessions meet C here and nowhere else.
// What a filter in trouble does is the mode's to say (DESIGN.md section 5): observing it lets mail
// pass, enforcing it asks to come back. The end of the message says it; the session remembers till
// then.
template <typename Call>
std::optional<sfsistat> try_event(Connection& connection, const char* name, Call call) noexcept {
    try {
        return status_of(call(connection.session));
    } catch (const std::exception& error) {
        log_trouble(name, error.what());
        connection.session.fail();
        return std::nullopt;
    }
}

// `no_reply` is the step that says that the MTA does not wait for an answer to this event.
template <typename Call>
sfsistat on_event(SMFICTX* context, const char* name, unsigned long no_reply, Call call) noexcept {
    const Event event;
    Connection* const connection = connection_of(context);
    if (!Event::may_begin() || connection == nullptr) {
        return answer_without_session();
    }
    const auto status = try_event(*connection, name, call);
    const bool is_silent = (connection->steps & no_reply) != 0;
    return is_silent ? SMFIS_NOREPLY : status.value_or(SMFIS_CONTINUE);
}

// An event that is nothing but news to the session.
template <typename Call>
sfsistat
tell_session(SMFICTX* context, const char* name, unsigned long no_reply, Call call) noexcept {
    return on_event(context, name, no_reply, [&call](Session& session) {
        call(session);
        return Answer::proceed;
    });
}

std::optional<policy::Address> address_of(const _SOCK_ADDR* peer) {
    if (peer != nullptr && peer->sa_family == AF_INET6) {
        sockaddr_in6 address{};
        std::memcpy(&address, peer, sizeof address);
        policy::Address::Bytes bytes{};
        std::ranges::copy(address.sin6_addr.s6_addr, bytes.begin());
        return policy::Address{bytes};
    }
    if (peer != nullptr && peer->sa_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, peer, sizeof address);
        std::array<std::uint8_t, 4> octets{};
        std::memcpy(octets.data(), &address.sin_addr, octets.size());
        return policy::Address::from_ipv4(octets);
    }
    return std::nullopt;
}

// What answers at no event before the end of the message: that halves what libmilter costs.
unsigned long wanted_of(unsigned long offered, const policy::Policy& policy) {
    constexpr unsigned long silent = SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY |
                                     SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC;
    const unsigned long silent_at_helo = policy::closes_at_helo(policy) ? 0 : SMFIP_NR_HELO;
    const unsigned long silent_at_rcpt = policy::looks_at_recipients(policy) ? 0 : SMFIP_NR_RCPT;
    return offered & (silent | silent_at_helo | silent_at_rcpt);
}

// A list replaces what the MTA would send at that stage, so each names all that is used.
void ask_for_macros(SMFICTX* context) {
    smfi_setsymlist(
        context, SMFIM_CONNECT, CString{"{daemon_name} {daemon_addr} {daemon_port}"}.get());
    smfi_setsymlist(context, SMFIM_ENVFROM, CString{"i {auth_type} {auth_authen}"}.get());
    smfi_setsymlist(context, SMFIM_EOM, CString{"i"}.get());
}

// The parameters of the callbacks are libmilter's.
// NOLINTBEGIN(readability-function-size,readability-non-const-parameter)
sfsistat on_negotiate(SMFICTX* context,
                      unsigned long actions,
                      unsigned long steps,
                      unsigned long /*reserved*/,
                      unsigned long /*reserved*/,
                      unsigned long* wanted_actions,
                      unsigned long* wanted_steps,
                      unsigned long* reserved_2,
                      unsigned long* reserved_3) noexcept {
    const Event event;
    if (!Event::may_begin()) {
        return SMFIS_REJECT;
    }
    try {
        *wanted_actions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST);
        *wanted_steps = wanted_of(steps, services->configs.current()->config.policy);
        *reserved_2 = 0;
        *reserved_3 = 0;
        last_agreed_steps = *wanted_steps;
        make_connection(context, *wanted_steps);
        if ((actions & SMFIF_SETSYMLIST) != 0) {
            ask_for_macros(context);
        }
        return SMFIS_CONTINUE;
    } catch (const std::exception& error) {
        log_trouble("negotiate", error.what());
        return SMFIS_REJECT; // the MTA does without us, as its milter_default_action says
    }
}

sfsistat on_connect(SMFICTX* context, char* /*host*/, _SOCK_ADDR* peer) noexcept {
    const Event event;
    try {
        if (Event::may_begin() && connection_of(context) == nullptr) {
            make_connection(context, last_agreed_steps);
        }
    } catch (const std::exception& error) {
        log_trouble("connect", error.what());
    }
    return on_event(
        context, "connect", 0, [&](Session& session) { return session.connect(address_of(peer)); });
}

sfsistat on_helo(SMFICTX* context, char* name) noexcept {
    return on_event(
        context, "helo", SMFIP_NR_HELO, [&](Session& session) { return session.helo(name); });
}

sfsistat on_mail(SMFICTX* context, char** arguments) noexcept {
    return tell_session(
        context, "mail", SMFIP_NR_MAIL, [&](Session& session) { session.mail(arguments[0]); });
}

sfsistat on_rcpt(SMFICTX* context, char** arguments) noexcept {
    return on_event(context, "rcpt", SMFIP_NR_RCPT, [&](Session& session) {
        return session.rcpt(arguments[0]);
    });
}

// Without SMFIP_HDR_LEADSPC the octet after the colon is lost; almost always it was a space.
sfsistat on_header(SMFICTX* context, char* name, char* value) noexcept {
    return tell_session(context, "header", SMFIP_NR_HDR, [&](Session& session) {
        const Connection& connection = *connection_of(context);
        const bool is_verbatim = (connection.steps & SMFIP_HDR_LEADSPC) != 0;
        if (is_verbatim) {
            session.header(name, value);
        } else {
            session.header(name, ' ' + std::string{value});
        }
    });
}

sfsistat on_eoh(SMFICTX* context) noexcept {
    return tell_session(
        context, "eoh", SMFIP_NR_EOH, [](Session& session) { session.end_of_header(); });
}

sfsistat on_body(SMFICTX* context, unsigned char* octets, std::size_t size) noexcept {
    return tell_session(context, "body", SMFIP_NR_BODY, [&](Session& session) {
        session.body({octets, size});
    });
}

sfsistat on_eom(SMFICTX* context) noexcept {
    const Event event;
    Connection* const connection = connection_of(context);
    if (!Event::may_begin() || connection == nullptr) {
        return answer_without_session();
    }
    const auto end = [](Session& session) { return session.end_of_message(); };
    if (const auto status = try_event(*connection, "eom", end)) {
        return *status;
    }
    // It has failed just now: the second time it answers as the mode says. Where even that fails,
    // the bare answer is left.
    return try_event(*connection, "eom", end)
        .value_or(status_of(connection->session.answer_in_trouble()));
}

sfsistat on_abort(SMFICTX* context) noexcept {
    return tell_session(context, "abort", 0, [](Session& session) { session.abort(); });
}

sfsistat on_close(SMFICTX* context) noexcept {
    const Event event;
    if (Event::may_begin()) {
        connections.remove(connection_of(context));
        smfi_setpriv(context, nullptr);
    }
    return SMFIS_CONTINUE;
}

// NOLINTEND(readability-function-size,readability-non-const-parameter)

smfiDesc description() {
    static CString name{"sixgate"};
    smfiDesc filter{};
    filter.xxfi_name = name.get();
    filter.xxfi_version = SMFI_VERSION;
    filter.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST;
    filter.xxfi_negotiate = on_negotiate;
    filter.xxfi_connect = on_connect;
    filter.xxfi_helo = on_helo;
    filter.xxfi_envfrom = on_mail;
    filter.xxfi_envrcpt = on_rcpt;
    filter.xxfi_header = on_header;
    filter.xxfi_eoh = on_eoh;
    filter.xxfi_body = on_body;
    filter.xxfi_eom = on_eom;
    filter.xxfi_abort = on_abort;
    filter.xxfi_close = on_close;
    return filter;
}

void expect_success(int result, const std::string& call) {
    if (result != MI_SUCCESS) {
        throw std::runtime_error{call + " failed"};
    }
}

} // namespace

void open_milter(const Services& shared) {
    services = &shared;
    const Config::Milter settings = services->configs.current()->config.milter;
    expect_success(smfi_setconn(CString{settings.socket}.get()), "smfi_setconn " + settings.socket);
    expect_success(smfi_register(description()), "smfi_register");
    // The default backlog refuses connections by the hundred when an MTA starts many at once.
    constexpr int backlog = 4096;
    expect_success(smfi_setbacklog(backlog), "smfi_setbacklog");
    expect_no_listener(settings.socket);
    const SocketMode mode{settings.socket_mode};
    if (smfi_opensocket(true) != MI_SUCCESS) {
        throw std::runtime_error{"cannot listen on " + settings.socket + ": " +
                                 obstacle_to(settings.socket)};
    }
    set_no_delay_on_listeners();
}

MilterEnd run_milter(std::chrono::milliseconds patience) {
    MilterEnd end;
    end.is_failure = smfi_main() != MI_SUCCESS;
    answer_at_the_end = status_in_trouble();
    is_ending = true;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (events_under_way != 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    end.is_quiet = events_under_way == 0;
    if (end.is_quiet) {
        connections.remove_all();
    }
    return end;
}

} // namespace milter

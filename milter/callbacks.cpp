#include "milter/callbacks.hpp"

#include "milter/listening_socket.hpp"
#include "policy/ascii.hpp"
#include "policy/journal.hpp"

#include <libmilter/mfapi.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

namespace milter {

namespace {

// libmilter gives its callbacks no pointer of ours, so this one is global. Set once, before
// smfi_main().
const Services* services = nullptr;

// The steps agreed on with the MTA. A connection that is handed on (SMFIC_QUIT_NC) comes without a
// negotiation of its own, and all connections of one MTA agree on the same.
std::atomic<unsigned long> agreed_steps{0};

std::atomic<int> events_under_way{0};

struct EventCount {
    EventCount() { ++events_under_way; }

    EventCount(const EventCount&) = delete;
    EventCount& operator=(const EventCount&) = delete;

    ~EventCount() { --events_under_way; }
};

// A string that libmilter may take by a non-const pointer; it does not write to it.
class CString {
public:
    explicit CString(std::string_view text) : text_{text} {}

    char* get() { return text_.data(); }

private:
    std::string text_;
};

class LibmilterMta final : public Mta {
public:
    LibmilterMta(SMFICTX* context, unsigned long steps) : context_{context}, steps_{steps} {}

    std::string macro(const char* name) override {
        const char* const value = smfi_getsymval(context_, CString{name}.get());
        return value == nullptr ? "" : value;
    }

    void insert_header(std::string_view name, const std::string& value) override {
        // With SMFIP_HDR_LEADSPC the MTA writes the value right after the colon.
        const std::string text = (steps_ & SMFIP_HDR_LEADSPC) != 0 ? ' ' + value : value;
        if (smfi_insheader(context_, 0, CString{name}.get(), CString{text}.get()) != MI_SUCCESS) {
            throw std::runtime_error{"smfi_insheader failed"};
        }
    }

    void delete_header(std::string_view name, int index) override {
        if (smfi_chgheader(context_, CString{name}.get(), index, nullptr) != MI_SUCCESS) {
            throw std::runtime_error{"smfi_chgheader failed"};
        }
    }

    void set_reply(const policy::Reply& reply) override {
        std::vector<CString> owners;
        for (const auto& line : reply.lines) {
            owners.emplace_back(with_percent_doubled(line));
        }
        std::array<char*, 33> lines{}; // the rest null, which ends the list
        for (std::size_t i = 0; i < std::min(owners.size(), lines.size() - 1); ++i) {
            lines[i] = owners[i].get();
        }
        if (call_setmlreply(reply.code, lines) != MI_SUCCESS) {
            throw std::runtime_error{"smfi_setmlreply failed"};
        }
    }

    void progress() override { smfi_progress(context_); }

private:
    // The MTA takes the text for a format: a single % would cost the whole reply in Sendmail.
    static std::string with_percent_doubled(std::string_view line) {
        std::string text;
        for (const char c : line) {
            text.append(c == '%' ? 2 : 1, c);
        }
        return text;
    }

    // It takes its lines as variable arguments, up to a null pointer.
    int call_setmlreply(const policy::ReplyCode& code, const std::array<char*, 33>& lines) {
        return std::apply(
            [&](auto... line) {
                return smfi_setmlreply(context_,
                                       CString{std::to_string(code.code)}.get(),
                                       CString{code.enhanced_status}.get(),
                                       line...);
            },
            lines);
    }

    SMFICTX* context_;
    unsigned long steps_;
};

Session::AtRcpt at_rcpt(unsigned long steps) {
    return (steps & SMFIP_NR_RCPT) != 0 ? Session::AtRcpt::is_silent : Session::AtRcpt::answers;
}

// What hangs on a connection.
struct Connection {
    Connection(SMFICTX* context, unsigned long agreed)
        : steps{agreed}, mta{context, agreed}, session{*services, mta, at_rcpt(agreed)} {}

    unsigned long steps;
    LibmilterMta mta;
    Session session;
};

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

// Runs one event, and nothing where it threw. The only place where an exception meets C. What a
// filter in trouble does is the mode's to say (DESIGN.md section 5): observing it lets mail pass,
// enforcing it asks to come back. The end of the message says it; the session remembers till then.
template <typename Event>
std::optional<sfsistat> try_event(Connection& connection, const char* name, Event event) noexcept {
    const EventCount count;
    try {
        return status_of(event(connection.session));
    } catch (const std::exception& error) {
        log_trouble(name, error.what());
        connection.session.fail();
        return std::nullopt;
    }
}

// `no_reply` is the step that says that the MTA does not wait for an answer to this event.
template <typename Event>
sfsistat
on_event(SMFICTX* context, const char* name, unsigned long no_reply, Event event) noexcept {
    Connection* const connection = connection_of(context);
    if (connection == nullptr) {
        return SMFIS_TEMPFAIL; // there was no memory at connect
    }
    const auto status = try_event(*connection, name, event);
    const bool is_silent = (connection->steps & no_reply) != 0;
    return is_silent ? SMFIS_NOREPLY : status.value_or(SMFIS_CONTINUE);
}

// An event that is nothing but news to the session.
template <typename Event>
sfsistat tell(SMFICTX* context, const char* name, unsigned long no_reply, Event event) noexcept {
    return on_event(context, name, no_reply, [&event](Session& session) {
        event(session);
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

// RCPT waits for an answer only where something may be closed.
bool answers_at_rcpt(const policy::Policy& policy) {
    return std::ranges::find(policy.stages, policy::Mode::closed, &policy::Stage::mode) !=
           policy.stages.end();
}

// Nothing else answers before the end of the message, which halves what libmilter costs.
unsigned long wanted_of(unsigned long offered, const policy::Policy& policy) {
    constexpr unsigned long silent = SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH |
                                     SMFIP_NR_BODY | SMFIP_NODATA | SMFIP_NOUNKNOWN |
                                     SMFIP_HDR_LEADSPC;
    const unsigned long silent_at_rcpt = answers_at_rcpt(policy) ? 0 : SMFIP_NR_RCPT;
    return offered & (silent | silent_at_rcpt);
}

// A list replaces what the MTA would send at that stage, so each names all that is used.
void ask_for_macros(SMFICTX* context) {
    smfi_setsymlist(
        context, SMFIM_CONNECT, CString{"j {daemon_name} {daemon_addr} {daemon_port}"}.get());
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
    try {
        *wanted_actions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST);
        *wanted_steps = wanted_of(steps, services->configs.current()->config.policy);
        *reserved_2 = 0;
        *reserved_3 = 0;
        agreed_steps = *wanted_steps;
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
    try {
        auto connection = std::make_unique<Connection>(context, agreed_steps);
        if (smfi_setpriv(context, connection.get()) != MI_SUCCESS) {
            return SMFIS_TEMPFAIL;
        }
        static_cast<void>(connection.release()); // on_close takes it back
    } catch (const std::exception& error) {
        log_trouble("connect", error.what());
        return SMFIS_TEMPFAIL;
    }
    return on_event(
        context, "connect", 0, [&](Session& session) { return session.connect(address_of(peer)); });
}

sfsistat on_helo(SMFICTX* context, char* name) noexcept {
    return tell(context, "helo", SMFIP_NR_HELO, [&](Session& session) { session.helo(name); });
}

sfsistat on_mail(SMFICTX* context, char** arguments) noexcept {
    return tell(
        context, "mail", SMFIP_NR_MAIL, [&](Session& session) { session.mail(arguments[0]); });
}

sfsistat on_rcpt(SMFICTX* context, char** arguments) noexcept {
    return on_event(context, "rcpt", SMFIP_NR_RCPT, [&](Session& session) {
        return session.rcpt(arguments[0]);
    });
}

// Without SMFIP_HDR_LEADSPC the octet after the colon is lost; almost always it was a space.
sfsistat on_header(SMFICTX* context, char* name, char* value) noexcept {
    return tell(context, "header", SMFIP_NR_HDR, [&](Session& session) {
        const Connection& connection = *connection_of(context);
        const bool is_verbatim = (connection.steps & SMFIP_HDR_LEADSPC) != 0;
        session.header(name, is_verbatim ? std::string{value} : ' ' + std::string{value});
    });
}

sfsistat on_eoh(SMFICTX* context) noexcept {
    return tell(context, "eoh", SMFIP_NR_EOH, [](Session& session) { session.end_of_header(); });
}

sfsistat on_body(SMFICTX* context, unsigned char* octets, std::size_t size) noexcept {
    return tell(context, "body", SMFIP_NR_BODY, [&](Session& session) {
        session.body({octets, size});
    });
}

sfsistat on_eom(SMFICTX* context) noexcept {
    Connection* const connection = connection_of(context);
    if (connection == nullptr) {
        return SMFIS_TEMPFAIL;
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
    return tell(context, "abort", 0, [](Session& session) { session.abort(); });
}

sfsistat on_close(SMFICTX* context) noexcept {
    const EventCount count;
    const std::unique_ptr<Connection> owner{connection_of(context)};
    smfi_setpriv(context, nullptr);
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
    const SocketMode mode{settings.socket_mode};
    expect_success(smfi_opensocket(true), "smfi_opensocket " + settings.socket);
    set_no_delay_on_listeners();
}

void run_milter() {
    expect_success(smfi_main(), "smfi_main");
}

bool wait_for_events(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (events_under_way != 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return events_under_way == 0;
}

} // namespace milter

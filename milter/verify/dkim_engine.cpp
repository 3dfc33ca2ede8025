#include "milter/verify/dkim_engine.hpp"

#include "milter/verify/c_handle.hpp"

// dkim.h is C99 and knows no other name for it.
#define _Bool bool // NOLINT(bugprone-reserved-identifier)
extern "C" {
#include <opendkim/dkim.h>
}
#undef _Bool

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <stdexcept>
#include <utility>

namespace verify {

namespace {

using policy::DkimResult;

struct KeyRecord {
    const DKIM_SIGINFO* signature;
    std::string text;
};

using KeyRecords = std::vector<KeyRecord>;

// The keys are at hand before libopendkim asks for them: nothing here blocks or allocates. This way
// in knows the message it is called for; the hooks that deal in DNS packets do not, and would need
// a thread_local. What it leaves unchecked (q=, several records) is checked before.
DKIM_CBSTAT
give_key(DKIM* dkim, DKIM_SIGINFO* signature, unsigned char* buffer, std::size_t size) noexcept {
    const auto* records = static_cast<const KeyRecords*>(dkim_get_user_context(dkim));
    if (records == nullptr) {
        return DKIM_CBSTAT_NOTFOUND;
    }
    const auto record = std::ranges::find(*records, signature, &KeyRecord::signature);
    if (record == records->end() || record->text.size() >= size) {
        return DKIM_CBSTAT_NOTFOUND;
    }
    std::memcpy(buffer, record->text.c_str(), record->text.size() + 1);
    return DKIM_CBSTAT_CONTINUE;
}

// RFC 6376 section 3.5 lets verifiers allow for clocks that go wrong; t= and x= are held to this.
constexpr std::uint64_t clock_drift_seconds = 300;

using DkimLibrary = CHandle<DKIM_LIB, dkim_close>;

DkimLibrary make_library() {
    DkimLibrary library{dkim_init(nullptr, nullptr)};
    if (library == nullptr) {
        throw std::runtime_error{"dkim_init: out of memory"};
    }
    // BADSIGHANDLES: one result for every signature. DELAYSIGPROC: keys at the end of the message.
    std::uint64_t clock_drift = clock_drift_seconds;
    unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
    if (dkim_options(library.get(), DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags) !=
            DKIM_STAT_OK ||
        dkim_options(library.get(),
                     DKIM_OP_SETOPT,
                     DKIM_OPTS_CLOCKDRIFT,
                     &clock_drift,
                     sizeof clock_drift) != DKIM_STAT_OK ||
        dkim_set_key_lookup(library.get(), give_key) != DKIM_STAT_OK) {
        throw std::runtime_error{"dkim_options: this is not the libopendkim that was built for"};
    }
    return library;
}

// One for the process. It is only read once it is made.
DKIM_LIB* library() {
    static const DkimLibrary instance = make_library();
    return instance.get();
}

std::string text_of(DKIM_SIGERROR error) {
    switch (error) {
    case DKIM_SIGERROR_EXPIRED: return "the signature has expired (x=)";
    case DKIM_SIGERROR_FUTURE: return "the signature is from the future (t=)";
    case DKIM_SIGERROR_TIMESTAMPS: return "the signature expires before it was made (t=, x=)";
    case DKIM_SIGERROR_INVALID_HC:
    case DKIM_SIGERROR_INVALID_BC: return "c= is unknown";
    case DKIM_SIGERROR_INVALID_A: return "a= is unknown";
    case DKIM_SIGERROR_CORRUPT_B: return "b= is not base64";
    case DKIM_SIGERROR_TOOLARGE_L: return "l= is longer than the body";
    case DKIM_SIGERROR_SUBDOMAIN: return "the key is not for subdomains (t=s), and i= is in one";
    case DKIM_SIGERROR_DNSSYNTAX: return "the key cannot be read";
    case DKIM_SIGERROR_KEYVERSION: return "the key has an unknown version (v=)";
    case DKIM_SIGERROR_KEYUNKNOWNHASH:
    case DKIM_SIGERROR_KEYHASHMISMATCH: return "the key is not for this hash (h=)";
    case DKIM_SIGERROR_NOTEMAILKEY: return "the key is not for mail (s=)";
    case DKIM_SIGERROR_KEYTYPEUNKNOWN: return "the key is of an unknown type (k=)";
    case DKIM_SIGERROR_KEYREVOKED: return "the key has been revoked (p= is empty)";
    case DKIM_SIGERROR_KEYDECODE: return "the key cannot be decoded (p=)";
    default: break;
    }
    const char* text = dkim_sig_geterrorstr(error);
    return text != nullptr ? text : "libopendkim cannot evaluate the signature";
}

std::string text_of_failure(std::string_view call, DKIM_STAT status) {
    const char* text = dkim_getresultstr(status);
    return std::string{call} + ": " + (text != nullptr ? text : "unknown error");
}

bool has_passed(DKIM_SIGINFO* signature) {
    return (dkim_sig_getflags(signature) & DKIM_SIGFLAG_PASSED) != 0 &&
           dkim_sig_getbh(signature) == DKIM_SIGBH_MATCH;
}

std::string failure_of(DKIM_SIGINFO* signature) {
    return dkim_sig_getbh(signature) == DKIM_SIGBH_MISMATCH
               ? "the body is not the one that was signed (bh=)"
               : "the header is not the one that was signed, or the key is another (b=)";
}

unsigned key_bits_of(DKIM_SIGINFO* signature) {
    unsigned bits = 0;
    dkim_alg_t algorithm = DKIM_SIGN_UNKNOWN;
    dkim_sig_getsignalg(signature, &algorithm);
    const auto error = dkim_sig_geterror(signature);
    if (algorithm == DKIM_SIGN_ED25519SHA256) {
        return error == DKIM_SIGERROR_OK || error == DKIM_SIGERROR_BADSIG ? 256 : 0;
    }
    return dkim_sig_getkeysize(signature, &bits) == DKIM_STAT_OK ? bits : 0;
}

EngineVerdict verdict_on(DKIM_SIGINFO* signature) {
    const auto error = dkim_sig_geterror(signature);
    const auto bits = key_bits_of(signature);
    switch (error) {
    case DKIM_SIGERROR_OK:
        if (has_passed(signature)) {
            return {DkimResult::pass, {}, bits};
        }
        return {DkimResult::temperror, text_of_failure("dkim_eom", DKIM_STAT_INTERNAL), bits};
    case DKIM_SIGERROR_BADSIG: return {DkimResult::fail, failure_of(signature), bits};
    case DKIM_SIGERROR_KEYTOOSMALL:
        return {DkimResult::policy, "the key has less than 1024 bits", bits};
    // Nothing was found out: memory has run out, or libopendkim has failed in another way.
    case DKIM_SIGERROR_KEYFAIL:
    case DKIM_SIGERROR_UNKNOWN:
        return {DkimResult::temperror, text_of_failure("dkim_eom", DKIM_STAT_INTERNAL), bits};
    default: return {DkimResult::permerror, text_of(error), bits};
    }
}

} // namespace

class DkimEngine::Handle {
public:
    Handle() {
        DKIM_STAT status = DKIM_STAT_OK;
        static const std::string id{"sixgate"}; // of no use here, and must not be null
        dkim_.reset(dkim_verify(library(), octets_of(id), nullptr, &status));
        if (dkim_ == nullptr) {
            throw std::runtime_error{"dkim_verify: out of memory"};
        }
    }

    DKIM_STAT header(std::span<const std::string_view> fields) {
        for (const auto field : fields) {
            // A field that has no proper name is refused, and can be signed by nobody.
            dkim_header(dkim_.get(), octets_of(field), field.size());
        }
        // libopendkim writes one element too far when h= uses up every field and goes on: one more
        // field, whose name has a space and so can stand in no h=, keeps it from that.
        static const std::string unsignable{"not signed:"};
        dkim_header(dkim_.get(), octets_of(unsignable), unsignable.size());
        return dkim_eoh(dkim_.get());
    }

    void body(std::string_view octets) { dkim_body(dkim_.get(), octets_of(octets), octets.size()); }

    DKIM_STAT finish(KeyRecords& records) {
        dkim_set_user_context(dkim_.get(), &records);
        const auto status = dkim_eom(dkim_.get(), nullptr);
        dkim_set_user_context(dkim_.get(), nullptr);
        return status;
    }

    std::span<DKIM_SIGINFO*> signatures() {
        DKIM_SIGINFO** first = nullptr;
        int count = 0;
        if (dkim_getsiglist(dkim_.get(), &first, &count) != DKIM_STAT_OK || count < 0) {
            return {};
        }
        return {first, static_cast<std::size_t>(count)};
    }

private:
    // libopendkim takes what it only reads as unsigned char*.
    static unsigned char* octets_of(std::string_view text) {
        return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
    }

    CHandle<DKIM, dkim_free> dkim_;
};

DkimEngine::DkimEngine() : handle_{std::make_unique<Handle>()} {}

DkimEngine::DkimEngine(DkimEngine&&) noexcept = default;
DkimEngine& DkimEngine::operator=(DkimEngine&&) noexcept = default;
DkimEngine::~DkimEngine() = default;

tl::expected<DkimEngine::Verdicts, std::string>
DkimEngine::header(std::span<const std::string_view> fields) {
    if (const auto status = handle_->header(fields); status != DKIM_STAT_OK) {
        return tl::unexpected{text_of_failure("dkim_eoh", status)};
    }
    Verdicts verdicts;
    for (DKIM_SIGINFO* signature : handle_->signatures()) {
        const bool is_open = dkim_sig_geterror(signature) == DKIM_SIGERROR_UNKNOWN;
        verdicts.push_back(is_open ? std::nullopt : std::optional{verdict_on(signature)});
    }
    return verdicts;
}

void DkimEngine::body(std::string_view octets) {
    handle_->body(octets);
}

std::vector<EngineVerdict>
DkimEngine::finish(const std::vector<std::optional<std::string>>& records) {
    const auto signatures = handle_->signatures();
    KeyRecords keys;
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        if (i < records.size() && records[i]) {
            keys.push_back({signatures[i], *records[i]});
        } else {
            dkim_sig_ignore(signatures[i]);
        }
    }
    handle_->finish(keys);
    std::vector<EngineVerdict> verdicts;
    std::ranges::transform(signatures, std::back_inserter(verdicts), verdict_on);
    return verdicts;
}

} // namespace verify

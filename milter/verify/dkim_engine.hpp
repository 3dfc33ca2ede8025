// libopendkim as values. It judges the signatures; the keys and what may be trusted to it are its
// caller's.
#pragma once

#include "policy/results.hpp"

#include <tl/expected.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

struct EngineVerdict {
    policy::DkimResult result = policy::DkimResult::temperror;
    std::string problem;
    unsigned key_bits = 0; // 0: not known
};

// One message, used by one thread at a time.
class DkimEngine {
public:
    DkimEngine();
    DkimEngine(const DkimEngine&) = delete;
    DkimEngine& operator=(const DkimEngine&) = delete;
    DkimEngine(DkimEngine&&) noexcept;
    DkimEngine& operator=(DkimEngine&&) noexcept;
    ~DkimEngine();

    // "Name:value" each, folds as CRLF, at least one a DKIM-Signature. One entry a signature, in
    // their order: a verdict where it falls without its key. Otherwise what failed.
    using Verdicts = std::vector<std::optional<EngineVerdict>>;
    tl::expected<Verdicts, std::string> header(std::span<const std::string_view> fields);

    // Any piece of the body, after the header.
    void body(std::string_view octets);

    // The text of the key record of each signature; one that has none is left out. One verdict a
    // signature. The body ends with CRLF or is empty.
    std::vector<EngineVerdict> finish(const std::vector<std::optional<std::string>>& records);

private:
    class Handle;
    std::unique_ptr<Handle> handle_;
};

} // namespace verify

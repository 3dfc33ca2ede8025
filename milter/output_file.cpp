#include "milter/output_file.hpp"

#include "milter/standard_output.hpp"
#include "policy/printable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace milter {

namespace {

namespace fs = std::filesystem;

std::system_error call_failure(const char* call) {
    return {errno, std::generic_category(), call};
}

// A descriptor that closes itself.
class OutputDescriptor {
public:
    explicit OutputDescriptor(int number) : number_{number} {
        if (number_ < 0) {
            throw call_failure("open");
        }
    }

    OutputDescriptor(const OutputDescriptor&) = delete;
    OutputDescriptor& operator=(const OutputDescriptor&) = delete;

    ~OutputDescriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }

    void write(std::string_view content) const {
        while (!content.empty()) {
            const ssize_t written = ::write(number_, content.data(), content.size());
            if (written < 0 && errno != EINTR) {
                throw call_failure("write");
            }
            content.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
    }

    void set_mode(mode_t mode) const {
        if (::fchmod(number_, mode) != 0) {
            throw call_failure("fchmod");
        }
    }

    // All of it is on the disk, or this throws.
    void finish() {
        const bool is_kept = ::fsync(number_) == 0 || errno == EINVAL; // a pipe keeps nothing
        const int number = std::exchange(number_, -1);
        if (!is_kept || ::close(number) != 0) {
            throw call_failure("fsync");
        }
    }

private:
    int number_;
};

mode_t usual_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

// Beside `target`, and gone at the end unless it has taken its place.
class OutputDraft {
public:
    explicit OutputDraft(const fs::path& target)
        : target_{target}, name_{target.string() + ".XXXXXX"}, file_{::mkstemp(name_.data())} {}

    OutputDraft(const OutputDraft&) = delete;
    OutputDraft& operator=(const OutputDraft&) = delete;

    ~OutputDraft() {
        if (!is_kept_) {
            ::unlink(name_.c_str());
        }
    }

    void fill(std::string_view content, mode_t mode) {
        file_.write(content);
        file_.set_mode(mode);
        file_.finish();
        fs::rename(name_, target_);
        is_kept_ = true;
    }

private:
    fs::path target_;
    std::string name_;
    OutputDescriptor file_;
    bool is_kept_ = false;
};

void write_file(const fs::path& file, std::string_view content) {
    const auto status = fs::status(file);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        OutputDescriptor as_it_is{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
        as_it_is.write(content);
        as_it_is.finish();
        return;
    }
    const bool is_new = !fs::exists(status);
    const mode_t mode = is_new ? usual_mode() : static_cast<mode_t>(status.permissions());
    OutputDraft{is_new ? file : fs::canonical(file)}.fill(content, mode);
}

} // namespace

tl::expected<void, std::string> write_output(const std::string& file, std::string_view content) {
    try {
        if (file == "-") {
            fmt::print("{}", content);
            flush_standard_output();
        } else {
            write_file(file, content);
        }
        return {};
    } catch (const std::system_error& error) {
        const std::string name = file == "-" ? "standard output" : policy::printable(file, 200);
        return tl::unexpected{name + " cannot be written: " + error.code().message()};
    }
}

int write_or_tell(const std::string& file, std::string_view content) {
    const auto written = write_output(file, content);
    if (!written) {
        fmt::print(stderr, "sixgate: {}\n", written.error());
        return EX_CANTCREAT;
    }
    return EX_OK;
}

} // namespace milter

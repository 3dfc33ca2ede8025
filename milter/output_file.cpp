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
#include <optional>
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

    // Belongs to whom it is said to, or this throws. Before the mode: a new owner takes bits of it.
    void set_owner(uid_t user, gid_t group) const {
        struct stat now {};

        if (::fstat(number_, &now) != 0) {
            throw call_failure("fstat");
        }
        const bool is_other = now.st_uid != user || now.st_gid != group;
        if (is_other && ::fchown(number_, user, group) != 0) {
            throw call_failure("fchown");
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

    // `old` is what it takes the place of; null: there is nothing.
    void fill(std::string_view content, const struct stat* old) {
        file_.write(content);
        if (old != nullptr) {
            file_.set_owner(old->st_uid, old->st_gid);
        }
        file_.set_mode(old == nullptr ? usual_mode() : old->st_mode & 07777);
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

// Empty: there is nothing of that name.
std::optional<struct stat> status_of(const fs::path& file) {
    struct stat status {};

    if (::lstat(file.c_str(), &status) == 0) {
        return status;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        throw call_failure("lstat");
    }
    return std::nullopt;
}

// In a folder such as /tmp anybody can put a link, or a file of theirs, where ours is to be: the
// rule of protected_symlinks and protected_regular (proc_sys_fs(5)), which rename(2) does not keep.
void refuse_what_is_planted(const fs::path& file, const struct stat& found) {
    const fs::path parent = file.parent_path();
    const auto folder = status_of(parent.empty() ? fs::path{"."} : fs::canonical(parent));
    const bool is_shared =
        folder && (folder->st_mode & S_ISVTX) != 0 && (folder->st_mode & S_IWOTH) != 0;
    if (is_shared && found.st_uid != ::geteuid() && found.st_uid != folder->st_uid) {
        errno = EACCES;
        throw call_failure("lstat");
    }
}

// Where `file` leads, link by link.
fs::path target_of(fs::path file) {
    constexpr int most_links = 40;
    for (int links = 0; links < most_links; ++links) {
        const auto found = status_of(file);
        if (!found) {
            return file;
        }
        refuse_what_is_planted(file, *found);
        if (!S_ISLNK(found->st_mode)) {
            return file;
        }
        file = file.parent_path() / fs::read_symlink(file);
    }
    errno = ELOOP;
    throw call_failure("readlink");
}

void write_file(const fs::path& named, std::string_view content) {
    const auto status = fs::status(named);
    if (fs::exists(status) && !fs::is_regular_file(status)) { // a device, or /dev/stdout
        OutputDescriptor as_it_is{::open(named.c_str(), O_WRONLY | O_CLOEXEC)};
        as_it_is.write(content);
        as_it_is.finish();
        return;
    }
    const fs::path file = target_of(named);
    const auto old = status_of(file);
    OutputDraft{file}.fill(content, old ? &*old : nullptr);
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

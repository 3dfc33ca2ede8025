#include "milter/output_file.hpp"
#include "tests/store/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

namespace of_output {

namespace fs = std::filesystem;

std::string content(const std::string& file) {
    std::ifstream stream{file};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

std::ptrdiff_t files_in(const fs::path& folder) {
    return std::distance(fs::directory_iterator{folder}, {});
}

} // namespace of_output

} // namespace

TEST_CASE(
    "output_file: takes the place of what was there, with its mode, and leaves nothing else") {
    namespace fs = std::filesystem;
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("page.html");
    REQUIRE(milter::write_output(file, "old"));
    fs::permissions(file, fs::perms::owner_read | fs::perms::group_read);
    std::ifstream reader{file}; // has begun to read
    REQUIRE(milter::write_output(file, std::string(300'000, 'n')));
    CHECK(std::string{std::istreambuf_iterator<char>{reader}, {}} == "old");
    CHECK(of_output::content(file) == std::string(300'000, 'n'));
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::group_read));
    CHECK(of_output::files_in(fs::path{file}.parent_path()) == 1);
}

TEST_CASE("output_file: belongs to whom it belonged, and nobody's plant is touched") {
    if (::geteuid() != 0) {
        MESSAGE("only root can give files away");
        return;
    }
    constexpr uid_t other = 65'534;
    const tests::TemporaryFolder folder;
    const std::string file = folder.file("page.html");
    std::ofstream{file} << "old";
    REQUIRE(::chown(file.c_str(), other, other) == 0);
    REQUIRE(milter::write_output(file, "new"));

    struct stat status {};

    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK(status.st_uid == other);
    CHECK(status.st_gid == other);
    CHECK(of_output::content(file) == "new");

    const std::string shared = folder.file("shared"); // as /tmp is
    std::filesystem::create_directory(shared);
    REQUIRE(::chmod(shared.c_str(), 01777) == 0);
    std::ofstream{folder.file("victim")} << "mine";
    const std::string planted = shared + "/report.html";
    const std::string link = shared + "/link.html";
    std::ofstream{planted} << "theirs";
    std::filesystem::create_symlink(folder.file("victim"), link);
    REQUIRE(::chown(planted.c_str(), other, other) == 0);
    CHECK(milter::write_output(link, "new")); // our own
    CHECK(of_output::content(folder.file("victim")) == "new");
    REQUIRE(::lchown(link.c_str(), other, other) == 0);
    for (const auto& name : {planted, link}) {
        CHECK(milter::write_output(name, "newer").error() ==
              name + " cannot be written: Permission denied");
    }
    CHECK(of_output::content(folder.file("victim")) == "new");
    CHECK(of_output::content(planted) == "theirs");
}

TEST_CASE("output_file: follows a link, and writes to what is no file as it is") {
    namespace fs = std::filesystem;
    const tests::TemporaryFolder folder;
    fs::create_symlink(folder.file("page.html"), folder.file("link.html"));
    std::ofstream{folder.file("page.html")} << "old";
    REQUIRE(milter::write_output(folder.file("link.html"), "new"));
    CHECK(fs::is_symlink(folder.file("link.html")));
    CHECK(of_output::content(folder.file("page.html")) == "new");
    std::filesystem::create_symlink("link.html", folder.file("again.html")); // relative, of two
    REQUIRE(milter::write_output(folder.file("again.html"), "newer"));
    CHECK(of_output::content(folder.file("page.html")) == "newer");
    REQUIRE(milter::write_output("/dev/null", "nothing"));
    CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("output_file: what cannot be written is told, and nothing is left of it") {
    const tests::TemporaryFolder folder;
    CHECK(milter::write_output(folder.file("none/page.html"), "x").error() ==
          folder.file("none/page.html") + " cannot be written: No such file or directory");
    CHECK(milter::write_output("/dev/full", "x").error() ==
          "/dev/full cannot be written: No space left on device");
    std::filesystem::create_directory(folder.file("folder"));
    CHECK_FALSE(milter::write_output(folder.file("folder"), "x"));
    CHECK(of_output::files_in(folder.file(".")) == 1);
}

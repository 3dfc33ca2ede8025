#include "tests/bench/load/manifest.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace {

std::string octets_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    std::ostringstream octets;
    octets << file.rdbuf();
    if (!file) {
        throw std::runtime_error{"cannot read " + path.string()};
    }
    return octets.str();
}

std::vector<std::string> fields_of(const std::string& line) {
    std::istringstream stream{line};
    std::vector<std::string> fields;
    for (std::string field; std::getline(stream, field, '\t');) {
        fields.push_back(field);
    }
    if (fields.size() != 10) {
        throw std::runtime_error{"a manifest has a line without its ten fields: " + line};
    }
    return fields;
}

Sample sample_of(const std::vector<std::string>& fields, const std::filesystem::path& folder) {
    return {std::make_shared<Content>(octets_of(folder / fields[0])),
            fields[1],
            fields[2],
            fields[3],
            fields[4],
            fields[5],
            {fields[6], fields[7], fields[8]},
            fields[9]};
}

} // namespace

std::vector<Sample> read_manifest(const std::string& file, std::size_t most) {
    std::ifstream lines{file};
    std::vector<Sample> samples;
    for (std::string line; std::getline(lines, line) && (most == 0 || samples.size() < most);) {
        samples.push_back(sample_of(fields_of(line), std::filesystem::path{file}.parent_path()));
    }
    if (samples.empty()) {
        throw std::runtime_error{"no message in " + file};
    }
    return samples;
}

} // namespace bench

// DNS as a table. A name that is not in it does not exist.
#pragma once

#include "milter/verify/resolver.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

class FakeResolver final : public verify::Resolver {
public:
    void add_txt(std::string_view name, std::string_view text) {
        records(name, verify::RecordType::txt).texts.emplace_back(text);
    }

    void add_ptr(std::string_view address, std::string_view name) {
        add_name(policy::Address::parse(address).value().reverse_name(), name);
    }

    // PTR, as a zone writes it.
    void add_name(std::string_view owner, std::string_view name) {
        records(owner, verify::RecordType::ptr).names.emplace_back(name);
    }

    // A or AAAA, as the address is.
    void add_address(std::string_view name, std::string_view address) {
        const auto parsed = policy::Address::parse(address).value();
        const auto type = parsed.is_ipv4() ? verify::RecordType::a : verify::RecordType::aaaa;
        records(name, type).addresses.push_back(parsed);
    }

    void add_mx(std::string_view name, std::uint16_t preference, std::string_view host) {
        records(name, verify::RecordType::mx)
            .mail_exchanges.push_back({preference, std::string{host}});
    }

    void fail(std::string_view name, verify::RecordType type, verify::LookupFailure failure) {
        answers_[{name, type}] = tl::unexpected{failure};
    }

    // The answer never comes.
    void stall(std::string_view name, verify::RecordType type) { stalled_.insert({name, type}); }

    std::shared_ptr<verify::PendingAnswer> ask(const verify::Question& question) override {
        asked.push_back(question);
        auto pending = std::make_shared<verify::PendingAnswer>();
        if (!stalled_.contains(question)) {
            pending->resolve(std::make_shared<const verify::Answer>(answer_to(question)));
        }
        return pending;
    }

    std::vector<verify::Question> asked; // in order, repetitions included

private:
    verify::Records& records(std::string_view name, verify::RecordType type) {
        names_.insert(verify::Question{name, type}.name);
        auto& answer = answers_[{name, type}];
        if (!answer) {
            answer = verify::Records{};
        }
        return *answer;
    }

    verify::Answer answer_to(const verify::Question& question) const {
        if (const auto known = answers_.find(question); known != answers_.end()) {
            return known->second;
        }
        return tl::unexpected{names_.contains(question.name)
                                  ? verify::LookupFailure::no_record
                                  : verify::LookupFailure::no_such_domain};
    }

    std::map<verify::Question, verify::Answer> answers_;
    std::set<verify::Question> stalled_;
    std::set<std::string> names_;
};

} // namespace tests

// What each profile answers, before the configuration has its say. Codes of RFC 7372 section 3;
// 4.4.3 is RFC 7208 section 8.6. The words that senders' bounce classifiers look for ("PTR record",
// "reverse DNS", "must pass either SPF or DKIM", "unauthenticated") stand in the first lines.
#include "policy/rules.hpp"

#include <utility>

namespace policy {

namespace {

struct Row {
    Reason reason;
    std::string_view soft;
    std::string_view enforce;
    std::vector<std::string> text;
};

using Rows = std::vector<Row>;

ReplyTable table_from(const Rows& rows) {
    ReplyTable table;
    for (const auto& row : rows) {
        table[row.reason] = {
            ReplyCode::parse(row.soft).value(), ReplyCode::parse(row.enforce).value(), row.text};
    }
    return table;
}

Rows reverse_name_rows() {
    return {
        {Reason::reverse_name_missing,
         "450 4.7.25",
         "550 5.7.25",
         {"[{client}] has no reverse DNS (PTR record), case {case}",
          "Mail over IPv6 needs a PTR record for the client's address and an AAAA record of the "
          "name it gives that leads back to the address. To publish:",
          "{ptr_name}. PTR, with the name of your mail host"}},
        {Reason::reverse_name_mismatch,
         "450 4.7.25",
         "550 5.7.25",
         {"[{client}] PTR record does not lead back to it (reverse DNS), case {case}",
          "Mail over IPv6 needs a PTR record whose name has an AAAA record with the client's "
          "address. Found: {names}. To publish: AAAA {client} at that name, or another PTR "
          "record."}},
        {Reason::reverse_name_temperror,
         "451 4.4.3",
         "451 4.4.3",
         {"[{client}] reverse DNS (PTR record) cannot be looked up now, case {case}",
          "Please try again later. If this lasts, look at the name servers of {ptr_name} and of "
          "the names it gives."}},
    };
}

Rows authentication_rows() {
    return {
        {Reason::unauthenticated,
         "450 4.7.26",
         "550 5.7.26",
         {"[{client}] mail over IPv6 must pass either SPF or DKIM, case {case}",
          "This message is unauthenticated: SPF of {spf_domain} is {spf}, DKIM is {dkim}.",
          "To publish: an SPF record at {spf_domain} that has ip6:{client}, or DKIM signatures.",
          "{spf_explanation}"}},
        {Reason::unaligned,
         "450 4.7.26",
         "550 5.7.26",
         {"[{client}] neither SPF nor DKIM passes for the domain of From, case {case}",
          "Mail over IPv6 must pass one of them for the organization of its author. From: "
          "{from_domain}. SPF of {spf_domain} is {spf}, DKIM is {dkim}.",
          "To publish: DKIM signatures of the domain of From, or MAIL FROM in that domain."}},
        {Reason::authentication_temperror,
         "451 4.7.24",
         "451 4.7.24",
         {"[{client}] SPF of the sender cannot be looked up now, case {case}",
          "Please try again later. If this lasts, look at the name servers of {spf_domain}."}},
        {Reason::dkim_temperror,
         "451 4.4.3",
         "451 4.4.3",
         {"[{client}] DKIM key of the message cannot be looked up now, case {case}",
          "Please try again later. If this lasts, look at the name servers of the signing "
          "domain."}},
    };
}

Rows other_rows() {
    return {
        {Reason::sender_domain_unreachable,
         "450 4.1.8",
         "550 5.1.8",
         {"[{client}] no bounce can reach {mail_from_domain}, case {case}",
          "The domain of MAIL FROM needs an MX record, or an address of its own, so that a bounce "
          "can be delivered. To publish: MX or AAAA at {mail_from_domain}."}},
        {Reason::sender_domain_null_mx,
         "450 4.7.27",
         "550 5.7.27",
         {"[{client}] {mail_from_domain} takes no mail (null MX), case {case}",
          "The domain of MAIL FROM says by a null MX record (RFC 7505) that no bounce can be "
          "delivered there. Please use another domain, or remove the record."}},
        {Reason::sender_domain_temperror,
         "451 4.4.3",
         "451 4.4.3",
         {"[{client}] MX of {mail_from_domain} cannot be looked up now, case {case}",
          "Please try again later. If this lasts, look at the name servers of "
          "{mail_from_domain}."}},
        {Reason::closed,
         "451 4.7.1",
         "451 4.7.1",
         {"[{client}] no mail over IPv6 from this client yet, please use IPv4, case {case}"}},
    };
}

Rows all_rows() {
    Rows rows = reverse_name_rows();
    for (const auto& more : {authentication_rows(), other_rows()}) {
        rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
}

const Rows& rfc7372_rows() {
    static const Rows rows = all_rows();
    return rows;
}

// The layout of Gmail's replies, in words of our own.
ReplyTable gmail_table() {
    ReplyTable table = table_from(rfc7372_rows());
    table[Reason::reverse_name_missing].text = {
        "[{client}] The sending address has no PTR record (reverse DNS), case {case}",
        "This host takes no mail over IPv6 from addresses without one. To publish:",
        "{ptr_name}. PTR, with the name of your mail host",
    };
    table[Reason::reverse_name_mismatch].text = {
        "[{client}] The PTR record of the sending address and the corresponding forward DNS entry "
        "do not match, case {case}",
        "This host takes no mail over IPv6 from such addresses. Found: {names}.",
    };
    table[Reason::unauthenticated].text = {
        "[{client}] Blocked because the sender is unauthenticated, case {case}",
        "All senders have to authenticate over IPv6, with either SPF or DKIM.",
        "",
        " Authentication results:",
        " DKIM = {dkim}",
        " SPF [{spf_domain}] with ip: [{client}] = {spf}",
        "",
        " To publish: ip6:{client} in the SPF record, or DKIM signatures.",
    };
    table[Reason::unaligned].text = {
        "[{client}] Blocked because the author's domain is unauthenticated, case {case}",
        "All senders have to authenticate the domain of From over IPv6, with either SPF or DKIM.",
        "",
        " Authentication results for From [{from_domain}]:",
        " DKIM = {dkim}",
        " SPF [{spf_domain}] with ip: [{client}] = {spf}",
        "",
        " To publish: DKIM signatures of the domain of From, or MAIL FROM in that domain.",
    };
    return table;
}

// The layout of Exchange Online Protection's replies, in words of our own.
ReplyTable eop_table() {
    ReplyTable table = table_from(rfc7372_rows());
    table[Reason::reverse_name_missing].text = {
        "Service unavailable, the IPv6 address [{client}] needs a reverse DNS record, case {case}",
        "To publish: {ptr_name}. PTR, with the name of your mail host",
    };
    table[Reason::unauthenticated] = {
        {450, "4.7.26"},
        {554, "5.7.26"},
        {"Service unavailable, mail over IPv6 [{client}] must pass either SPF or DKIM, case {case}",
         "SPF of {spf_domain}: {spf}. DKIM: {dkim}. To publish: ip6:{client} in the SPF record at "
         "{spf_domain}, or DKIM signatures."},
    };
    table[Reason::unaligned] = {
        {450, "4.7.26"},
        {554, "5.7.26"},
        {"Service unavailable, mail over IPv6 [{client}] must pass SPF or DKIM for its author's "
         "domain, case {case}",
         "From: {from_domain}. SPF of {spf_domain}: {spf}. DKIM: {dkim}. To publish: DKIM "
         "signatures of the domain of From, or MAIL FROM in that domain."},
    };
    table[Reason::closed] = {
        {550, "5.2.1"},
        {550, "5.2.1"},
        {"Service unavailable, [{client}] {recipient_domain} takes no mail over IPv6, case {case}"},
    };
    return table;
}

// The same answer in soft and in enforce, and another first line.
void answer(ReplyTable& table, Reason reason, const ReplyCode& code, std::string first_line) {
    ReplyTemplate& row = table[reason];
    row.soft = row.enforce = code;
    row.text.front() = std::move(first_line);
}

// For a listener that only MX6-aware senders use: they know that IPv4 remains open to them.
ReplyTable mx6_table() {
    ReplyTable table = table_from(rfc7372_rows());
    const ReplyCode code{550, "5.5.5"};
    answer(table,
           Reason::reverse_name_missing,
           code,
           "[{client}] no reverse DNS (PTR record), retry over IPv4, case {case}");
    answer(table,
           Reason::reverse_name_mismatch,
           code,
           "[{client}] PTR record does not lead back (reverse DNS), retry over IPv4, case {case}");
    answer(table,
           Reason::unauthenticated,
           code,
           "[{client}] must pass either SPF or DKIM over IPv6, retry over IPv4, case {case}");
    answer(table,
           Reason::unaligned,
           code,
           "[{client}] neither SPF nor DKIM passes for the domain of From, retry over IPv4, case "
           "{case}");
    answer(table,
           Reason::sender_domain_unreachable,
           code,
           "[{client}] no bounce can reach {mail_from_domain}, retry over IPv4, case {case}");
    answer(table,
           Reason::sender_domain_null_mx,
           code,
           "[{client}] {mail_from_domain} takes no mail, retry over IPv4, case {case}");
    return table;
}

// Some senders try their other addresses after a temporary refusal; these ask them to.
ReplyTable fallback_table() {
    ReplyTable table = table_from(rfc7372_rows());
    answer(table,
           Reason::reverse_name_missing,
           {451, "4.7.25"},
           "[{client}] has no reverse DNS (PTR record), please use IPv4, case {case}");
    answer(table,
           Reason::reverse_name_mismatch,
           {451, "4.7.25"},
           "[{client}] PTR record does not lead back (reverse DNS), please use IPv4, case {case}");
    answer(table,
           Reason::unauthenticated,
           {451, "4.7.26"},
           "[{client}] must pass either SPF or DKIM over IPv6, please use IPv4, case {case}");
    answer(table,
           Reason::unaligned,
           {451, "4.7.26"},
           "[{client}] neither SPF nor DKIM passes for the domain of From, please use IPv4, case "
           "{case}");
    answer(table,
           Reason::sender_domain_unreachable,
           {451, "4.1.8"},
           "[{client}] no bounce can reach {mail_from_domain}, please use IPv4, case {case}");
    answer(table,
           Reason::sender_domain_null_mx,
           {451, "4.7.27"},
           "[{client}] {mail_from_domain} takes no mail, please use IPv4, case {case}");
    return table;
}

// The first lines alone.
ReplyTable terse_table() {
    ReplyTable table = table_from(rfc7372_rows());
    for (auto& row : table.rows) {
        row.text.resize(1);
    }
    table.has_diagnostics = false;
    return table;
}

} // namespace

ReplyTable replies_of(Profile profile) {
    switch (profile) {
    case Profile::rfc7372: break;
    case Profile::gmail: return gmail_table();
    case Profile::eop: return eop_table();
    case Profile::mx6: return mx6_table();
    case Profile::fallback: return fallback_table();
    case Profile::terse: return terse_table();
    }
    return table_from(rfc7372_rows());
}

} // namespace policy

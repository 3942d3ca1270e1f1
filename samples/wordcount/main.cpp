/* SPDX-License-Identifier: MIT */
/*
 * wordcount: how often each word is in some files. Pieces of the files are
 * counted in parallel, on threads or in worker processes, by one imap().
 */
#include "pieces.hpp"

#include <cfutures/cfutures.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include <getopt.h>

namespace
{

using counts = std::unordered_map<std::string, std::uint64_t>;

enum { WRONG_USAGE = 2 };

struct options {
    std::string executor = "threads";
    std::size_t top = 0; /* 0: all words, in their order */
    std::size_t piece_size = 1 << 20;
    std::vector<std::string> files;
};

void
help()
{
    std::printf(
        "Usage: wordcount [OPTION]... [FILE]...\n"
        "Counts the words of files, or of standard input (also for -). Words\n"
        "are what is between blanks. Prints what sort | uniq -c prints.\n\n"
        "  -e, --executor SPEC  where to count: %s\n"
        "                       (threads)\n"
        "  -t, --top N          only the N most frequent words, those first\n"
        "  -p, --piece BYTES    so much text in one task (1048576)\n"
        "  -h, --help           this text\n\n"
        "Exit status: 0; 1 if a file could not be read, or words were not\n"
        "counted; 2 if the command line is wrong.\n",
        cf_executor_specs());
}

/* false, after a sentence on standard error: text is no number above 0. */
bool
parse_number(const char *option, const char *text, std::size_t *out)
{
    char *end;
    errno = 0;
    const unsigned long long n = std::strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n == 0 ||
        n > SIZE_MAX / 4) {
        std::fprintf(
            stderr, "wordcount: %s: '%s' is no number above 0\n", option, text);
        return false;
    }
    *out = static_cast<std::size_t>(n);
    return true;
}

/* -1: go on; else the exit status. */
int
parse(int argc, char **argv, options *out)
{
    static const option known[] = {
        {"executor", required_argument, nullptr, 'e'},
        {"top", required_argument, nullptr, 't'},
        {"piece", required_argument, nullptr, 'p'},
        {"help", no_argument, nullptr, 'h'},
        {nullptr, 0, nullptr, 0}};
    int letter;
    while ((letter = getopt_long(argc, argv, "e:t:p:h", known, nullptr)) >= 0) {
        bool good = true;
        if (letter == 'e')
            out->executor = optarg;
        else if (letter == 't')
            good = parse_number("--top", optarg, &out->top);
        else if (letter == 'p')
            good = parse_number("--piece", optarg, &out->piece_size);
        else if (letter == 'h')
            return help(), EXIT_SUCCESS;
        else
            good = false;
        if (!good) {
            std::fputs("Try 'wordcount --help'.\n", stderr);
            return WRONG_USAGE;
        }
    }
    out->files.assign(argv + optind, argv + argc);
    if (out->files.empty())
        out->files.emplace_back("-");
    return -1;
}

/* The task. It captures nothing, so it travels to a worker process as it is,
 * and its argument and result by their codecs. */
counts
count_words(const std::string &text)
{
    counts all;
    const std::string_view view = text;
    for (std::size_t begin = 0, end; begin < view.size(); begin = end) {
        while (begin < view.size() && is_blank(view[begin]))
            begin++;
        end = begin;
        while (end < view.size() && !is_blank(view[end]))
            end++;
        if (end > begin)
            all[std::string(view.substr(begin, end - begin))]++;
    }
    return all;
}

/* false: some words were not counted. */
bool
count_all(const cf::executor &pool, pieces &input, counts *total)
{
    bool whole = true;
    const auto window = 4 * static_cast<std::size_t>(pool.max_workers());
    auto results =
        pool.imap(count_words, input, cf::map_options().buffer(window));
    for (auto it = results.begin(); it != results.end(); ++it) {
        const pieces::place from = input.next_place();
        try {
            for (auto &&[word, count] : *it)
                (*total)[word] += count;
        } catch (const std::exception &failure) {
            std::fprintf(stderr,
                         "wordcount: %s: the piece at byte %llu is not "
                         "counted: %s\n",
                         from.file.c_str(),
                         static_cast<unsigned long long>(from.offset),
                         failure.what());
            whole = false;
        }
    }
    return whole;
}

/* false: standard output does not take it. */
bool
print(const counts &total, std::size_t top)
{
    std::vector<const counts::value_type *> rows;
    rows.reserve(total.size());
    for (const auto &row : total)
        rows.push_back(&row);
    std::sort(rows.begin(), rows.end(), [top](const auto *a, const auto *b) {
        if (top && a->second != b->second)
            return a->second > b->second;
        return a->first < b->first;
    });
    if (top && rows.size() > top)
        rows.resize(top);
    for (const auto *row : rows) {
        std::printf("%7llu ", static_cast<unsigned long long>(row->second));
        std::fwrite(row->first.data(), 1, row->first.size(), stdout);
        std::putchar('\n');
    }
    return std::fflush(stdout) == 0 && !std::ferror(stdout);
}

} // namespace

int
main(int argc, char **argv)
{
    options how;
    const int status = parse(argc, argv, &how);
    if (status >= 0)
        return status;
    try {
        /* Worker processes are copies of the program as it is now: small. */
        const cf::executor pool(how.executor);
        pieces input(how.files, how.piece_size);
        counts total;
        bool good = count_all(pool, input, &total);
        if (!print(total, how.top)) {
            std::perror("wordcount: standard output");
            good = false;
        }
        return good && input.bad_files() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const cf::error &failure) {
        std::fprintf(stderr, "wordcount: %s\n", failure.what());
        return failure.kind() == CF_EINVAL ? WRONG_USAGE : EXIT_FAILURE;
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "wordcount: %s\n", failure.what());
        return EXIT_FAILURE;
    }
}

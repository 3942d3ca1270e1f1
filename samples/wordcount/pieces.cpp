/* SPDX-License-Identifier: MIT */
#include "pieces.hpp"

#include <cerrno>
#include <cstring>

pieces::pieces(std::vector<std::string> files, std::size_t piece_size)
    : files_(std::move(files)), piece_size_(piece_size)
{
}

void
pieces::closes::operator()(std::FILE *file) const
{
    if (file != stdin)
        std::fclose(file); /* it was only read */
}

/* errno says why. */
void
pieces::complain()
{
    std::fprintf(stderr,
                 "wordcount: %s: %s\n",
                 files_[next_file_ - 1].c_str(),
                 std::strerror(errno));
    bad_files_++;
}

/* false: there is no file left. */
bool
pieces::open_next()
{
    while (next_file_ < files_.size()) {
        const std::string &name = files_[next_file_++];
        file_.reset(name == "-" ? stdin : std::fopen(name.c_str(), "rb"));
        offset_ = 0;
        rest_.clear();
        if (file_)
            return true;
        complain();
    }
    return false;
}

/* The next piece of the file that is open; false: it has no more. */
bool
pieces::read_from_file()
{
    std::string text = std::move(rest_);
    rest_.clear();
    std::size_t begin = text.size(), end; /* of what is not looked at yet */
    for (;;) {
        const std::size_t room = piece_size_;
        text.resize(begin + room);
        const std::size_t got = std::fread(&text[begin], 1, room, file_.get());
        text.resize(begin + got);
        if (got < room) {
            if (std::ferror(file_.get()))
                complain();
            file_.reset();
            end = text.size();
            break;
        }
        /* Up to the last blank; a word may be longer than a piece. */
        end = text.size();
        while (end > begin && !is_blank(text[end - 1]))
            end--;
        if (end > begin)
            break;
        begin = text.size();
    }
    if (end == 0)
        return false;
    rest_.assign(text, end, std::string::npos);
    text.resize(end);
    places_.push_back({files_[next_file_ - 1], offset_});
    offset_ += end;
    piece_ = std::move(text);
    return true;
}

void
pieces::read()
{
    while (!at_end_) {
        if (!file_ && !open_next())
            at_end_ = true;
        else if (read_from_file())
            return;
    }
}

pieces::place
pieces::next_place()
{
    place first = std::move(places_.front());
    places_.pop_front();
    return first;
}

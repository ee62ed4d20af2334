// What warp.py says of `warp`, compiled: pictures (N, H, W, C) of bytes or floats, one after another.
//
// A picture is copied, four channels at a time, into a frame of floats with one more pixel on each
// side, so that each place has four neighbours; the loops over a row have no branches.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace {

enum Fill { NEAREST, CONSTANT, REFLECT, WRAP, TILE };  // the order of warp.py's FILLS

typedef float Four __attribute__((vector_size(16)));

struct Job {
    const void* source;
    float* result;
    int64_t count, height, width, channels;
    const float* matrices;  // (N, 2, 3)
    const float* shifts;    // (N, C), or null
    int fill;
    float cval, slack;
};

// A place outside [0, length - 1] as the place inside that it shows.
template <int FILL>
inline float mapped(float place, float length) {
    const float last = length - 1;
    if (FILL == REFLECT) {
        const float from = place + 0.5f, period = 2 * length;
        const float along = from - period * std::floor(from / period);
        return std::min(along, period - along) - 0.5f;
    }
    if (FILL == WRAP) {
        const float away = std::fabs(place), period = std::max(last, 1.0f);
        const float along = away - period * std::floor(away / period);
        const float turned = place < 0 ? last - along : along;
        return place < 0 || place > last ? turned : place;
    }
    if (FILL == TILE) return std::min(place - length * std::floor(place / length), length);
    return std::min(std::max(place, 0.0f), last);
}

// What a row of the result needs of the frame: the upper left of four neighbours, and their shares.
struct Row {
    std::vector<int32_t> at;
    std::vector<float> right, below, inside;  // in [0, 1]; inside is 0 or 1
    explicit Row(int64_t width) : at(width), right(width), below(width), inside(width) {}
};

template <int FILL>
void plan(const Job& job, const float* m, int64_t y, Row& row) {
    const int width = job.width, wide = width + 2;
    const float mid_x = (width - 1) / 2.0f, mid_y = (job.height - 1) / 2.0f;
    const float last_x = width - 1 + job.slack, last_y = job.height - 1 + job.slack;
    const float high = job.height, slack = -job.slack;
    const float start_x = m[1] * (y - mid_y) + m[2], start_y = m[4] * (y - mid_y) + m[5];
    const float m0 = m[0], m3 = m[3];
    int32_t* __restrict at = row.at.data();
    float* __restrict right = row.right.data();
    float* __restrict below = row.below.data();
    float* __restrict inside = row.inside.data();
    for (int x = 0; x < width; ++x) {
        const float to_x = m0 * (x - mid_x) + start_x + mid_x;
        const float to_y = m3 * (x - mid_x) + start_y + mid_y;
        const float place_x = mapped<FILL>(to_x, width), place_y = mapped<FILL>(to_y, high);
        const float left = std::floor(place_x), upper = std::floor(place_y);
        right[x] = place_x - left;
        below[x] = place_y - upper;
        at[x] = (static_cast<int>(upper) + 1) * wide + static_cast<int>(left) + 1;
        if (FILL == CONSTANT)
            inside[x] = (to_x >= slack) & (to_x <= last_x) & (to_y >= slack) & (to_y <= last_y);
    }
}

// Copy LANES channels of a picture into the frame, in [0, 1], and fill the frame's rim.
template <typename Pixel, typename Value, int LANES>
void framed(const Job& job, const Pixel* source, Value* frame) {
    const int64_t width = job.width, height = job.height, wide = width + 2;
    const float unit = sizeof(Pixel) == 1 ? 1.0f / 255 : 1.0f;
    const bool tiled = job.fill == TILE;
    for (int64_t y = 0; y < height; ++y) {
        Value* row = frame + (y + 1) * wide;
        for (int64_t x = 0; x < width; ++x) {
            const Pixel* from = source + (y * width + x) * job.channels;
            float values[4] = {};
            for (int k = 0; k < LANES; ++k) values[k] = from[k] * unit;
            std::memcpy(row + x + 1, values, sizeof(Value));
        }
        row[0] = row[tiled ? width : 1];
        row[width + 1] = row[tiled ? 1 : width];
    }
    std::copy_n(frame + (tiled ? height : 1) * wide, wide, frame);
    std::copy_n(frame + (tiled ? 1 : height) * wide, wide, frame + (height + 1) * wide);
}

template <int LANES>
inline void store(float value, float* out) {
    *out = value;
}

template <int LANES>
inline void store(const Four& value, float* out) {
    std::memcpy(out, &value, LANES * sizeof(float));
}

template <typename Value, int FILL, int LANES>
void resample(const Job& job, const Value* frame, const Row& row, float* __restrict out) {
    const int64_t width = job.width, wide = width + 2, channels = sizeof(Value) == 4 ? 1 : job.channels;
    const int32_t* at = row.at.data();
    const float *right = row.right.data(), *below = row.below.data(), *inside = row.inside.data();
    for (int64_t x = 0; x < width; ++x) {
        const Value *a = frame + at[x], *c = a + wide;
        const Value upper = a[0] + right[x] * (a[1] - a[0]);
        const Value lower = c[0] + right[x] * (c[1] - c[0]);
        Value value = upper + below[x] * (lower - upper);
        if (FILL == CONSTANT) value = inside[x] * value + (1 - inside[x]) * job.cval;
        store<LANES>(value, out + x * channels);
    }
}

// Add a shift to each channel; the picture keeps to the range that it had.
void shift(const Job& job, const float* shifts, float* out) {
    const int64_t along = job.width * job.channels, size = along * job.height;
    float low = out[0], high = out[0];
    for (int64_t i = 0; i < size; ++i) {
        const float value = out[i];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    std::vector<float> row(along);
    for (int64_t i = 0; i < along; ++i) row[i] = shifts[i % job.channels];
    const float* __restrict more = row.data();
    for (float* __restrict to = out; to < out + size; to += along)
        for (int64_t i = 0; i < along; ++i) to[i] = std::min(std::max(to[i] + more[i], low), high);
}

template <typename Pixel, typename Value, int FILL, int LANES>
void some(const Job& job, const Pixel* source, const float* m, Row& row, Value* frame, float* out) {
    framed<Pixel, Value, LANES>(job, source, frame);
    for (int64_t y = 0; y < job.height; ++y) {
        plan<FILL>(job, m, y, row);
        resample<Value, FILL, LANES>(job, frame, row, out + y * job.width * job.channels);
    }
}

template <typename Pixel, int FILL>
void pictures(const Job& job, int64_t first, int64_t last) {
    const int64_t size = job.height * job.width * job.channels;
    Row row(job.width);
    std::vector<Four> frame((job.height + 2) * (job.width + 2));
    for (int64_t n = first; n < last; ++n) {
        const Pixel* source = static_cast<const Pixel*>(job.source) + n * size;
        const float* m = job.matrices + 6 * n;
        float* out = job.result + n * size;
        if (job.channels == 1)
            some<Pixel, float, FILL, 1>(job, source, m, row, reinterpret_cast<float*>(&frame[0]), out);
        else
            for (int64_t k = 0; k < job.channels; k += 4) switch (std::min<int64_t>(job.channels - k, 4)) {
                case 1: some<Pixel, Four, FILL, 1>(job, source + k, m, row, &frame[0], out + k); break;
                case 2: some<Pixel, Four, FILL, 2>(job, source + k, m, row, &frame[0], out + k); break;
                case 3: some<Pixel, Four, FILL, 3>(job, source + k, m, row, &frame[0], out + k); break;
                default: some<Pixel, Four, FILL, 4>(job, source + k, m, row, &frame[0], out + k);
            }
        if (job.shifts) shift(job, job.shifts + n * job.channels, out);
    }
}

template <typename Pixel>
void by_fill(const Job& job, int64_t first, int64_t last) {
    switch (job.fill) {
        case NEAREST: return pictures<Pixel, NEAREST>(job, first, last);
        case CONSTANT: return pictures<Pixel, CONSTANT>(job, first, last);
        case REFLECT: return pictures<Pixel, REFLECT>(job, first, last);
        case WRAP: return pictures<Pixel, WRAP>(job, first, last);
        default: return pictures<Pixel, TILE>(job, first, last);
    }
}

}  // namespace

extern "C" void warp(const void* source, int bytes, float* result, int64_t count, int64_t height,
                     int64_t width, int64_t channels, const float* matrices, const float* shifts,
                     int fill, float cval, float slack, int threads) {
    const Job job{source, result, count, height, width, channels, matrices, shifts, fill, cval,
                  slack};
    const auto part = bytes == 1 ? by_fill<uint8_t> : by_fill<float>;
    std::vector<std::thread> others;
    for (int64_t t = 1; t < threads; ++t)
        others.emplace_back(part, std::cref(job), count * t / threads, count * (t + 1) / threads);
    part(job, 0, count / threads);
    for (auto& other : others) other.join();
}

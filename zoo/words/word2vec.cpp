// What word2vec.py says of `descend`, compiled: the continuous bag of words with negative sampling.
//
// The rows that a block needs are copied, filled up with zeros to whole lanes; the tables are changed
// at its end. A context is a stretch of text, so that its sum is a difference of running sums, and so
// is what a word is asked for by the contexts that it is in.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace {

#ifdef __AVX512F__
constexpr int64_t LANES = 16;
#else
constexpr int64_t LANES = 8;
#endif
constexpr int64_t DRAWS = 4, CENTRES = LANES / DRAWS;  // of a tile of scores
constexpr int64_t AHEAD = 8;                           // words that are fetched before their turn
constexpr int64_t AT_ONCE = 16;                        // blocks that a thread takes at most: other
                                                       // threads should be in other documents
typedef float Lane __attribute__((vector_size(4 * LANES)));
typedef int32_t Whole __attribute__((vector_size(4 * LANES)));

inline Lane load(const float* from) {
    Lane lane;
    std::memcpy(&lane, from, sizeof lane);
    return lane;
}

inline void store(float* to, Lane lane) { std::memcpy(to, &lane, sizeof lane); }

constexpr int64_t rounded(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// 1 / (1 + exp(-x)), to 3e-7: exp as a power of two times a polynomial of what is left.
inline Lane sigmoid(Lane x) {
    const Lane zero = {}, bound = zero + 80.0f;
    Lane t = x * -1.44269504f;
    t = t < -bound ? -bound : (t > bound ? bound : t);
    const Whole power = __builtin_convertvector(t + (t < zero ? zero - 0.5f : zero + 0.5f), Whole);
    const Lane r = (t - __builtin_convertvector(power, Lane)) * 0.693147181f;
    Lane sum = zero + 1 / 720.0f;
    for (const float over : {1 / 120.0f, 1 / 24.0f, 1 / 6.0f, 0.5f, 1.0f, 1.0f})
        sum = sum * r + over;
    const Whole bits = (power + 127) << 23;
    Lane scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return 1.0f / (1.0f + sum * scale);
}

#ifdef __clang__
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, Whole{__VA_ARGS__})
#endif

// Of pairs of groups of H numbers the sums; those of a, and of b, in turn.
typedef std::make_integer_sequence<int, LANES> Places;

template <int H, int... I>
inline Lane halved(Lane a, Lane b, std::integer_sequence<int, I...>) {
    return PICK(a, b, (I & H ? LANES + I - H : I)...) + PICK(a, b, (I & H ? LANES + I : I + H)...);
}

// The sum of each lane's numbers.
template <int H = 1>
inline Lane folded(Lane* lanes) {
    if constexpr (H < LANES) {
        for (int i = 0; i < LANES / H / 2; ++i)
            lanes[i] = halved<H>(lanes[2 * i], lanes[2 * i + 1], Places());
        return folded<2 * H>(lanes);
    }
    return lanes[0];
}

struct Run {
    float *vectors, *outputs;  // (V, D)
    const int32_t* ids;        // of the first centre; w words stand before it, and behind the last
    const uint8_t* reach;
    const int32_t* negatives;  // (blocks, S, K): S sets, which the centres take in turn
    int64_t count, block, S, K, D, window;
    float rate, weight;

    float* vector(int64_t place) const { return vectors + ids[place] * D; }
    float* output(int32_t word) const { return outputs + word * D; }
};

// Zeros that begin at a line of the cache: a lane that lies in two of them costs two loads.
class Floats {
    struct alignas(64) Line {
        float of[16];
    };
    std::vector<Line> lines;

   public:
    explicit Floats(int64_t count) : lines(rounded(count, 16) / 16) {}
    float& operator[](int64_t i) { return lines.data()->of[i]; }
    void clear() { std::fill(lines.begin(), lines.end(), Line()); }
};

// A block's rows of D and of K numbers; places count from w before its first centre.
struct Room {
    int64_t D, K, places;
    Floats words, sums, means, asked, inverse, up, down, wrong, change;
    std::vector<int64_t> begin, end;   // of each place's document; an end lies behind the last word
    std::vector<int64_t> first, last;  // of each centre's context

    explicit Room(const Run& run)
        : D(rounded(run.D, LANES)), K(rounded(run.K, DRAWS)), places(run.block + 2 * run.window),
          words(places * D), sums((places + 1) * D), means(run.block * D), asked(run.block * D),
          inverse(run.block), up(run.block), down(rounded(run.block, LANES) * K),
          wrong(run.S * K * D), change(run.S * K * D),
          begin(places), end(places), first(run.block), last(run.block) {}

    // Of the n-th negative of a block.
    int64_t row(const Run& run, int64_t n) const { return (n / run.K * K + n % run.K) * D; }
};

inline void fetch(const float* row, int64_t size) {
    for (int64_t d = 0; d < size; d += 16) __builtin_prefetch(row + d, 1);
}

// y += x, both of `size` floats, of which y is not filled up.
inline void add(float* y, const float* x, int64_t size) {
    int64_t d = 0;
    for (; d + LANES <= size; d += LANES) store(y + d, load(y + d) + load(x + d));
    for (; d < size; ++d) y[d] += x[d];
}

// Copy the rows of a block.
void gather(const Run& run, Room& room, int64_t start, int64_t size, const int32_t* drawn) {
    const int64_t drawings = run.S * run.K, bytes = run.D * sizeof(float);
    for (int64_t j = start - run.window; j < start + size + run.window; ++j) {
        if (j + AHEAD < run.count + run.window) fetch(run.vector(j + AHEAD), run.D);
        std::memcpy(&room.words[(j - start + run.window) * room.D], run.vector(j), bytes);
    }
    for (int64_t i = 0; i < size; ++i) {
        if (i + AHEAD < size) fetch(run.output(run.ids[start + i + AHEAD]), run.D);
        std::memcpy(&room.asked[i * room.D], run.output(run.ids[start + i]), bytes);
    }
    for (int64_t n = 0; n < drawings; ++n) {
        if (n + AHEAD < drawings) fetch(run.output(drawn[n + AHEAD]), run.D);
        std::memcpy(&room.wrong[room.row(run, n)], run.output(drawn[n]), bytes);
    }
}

// Each context reaches as far as its centre does, but not out of its document.
void find_contexts(const Run& run, Room& room, int64_t start, int64_t size) {
    const int64_t w = run.window, places = size + 2 * w;
    const int32_t* ids = run.ids + start - w;
    for (int64_t j = 0, at = 0; j < places; ++j) room.begin[j] = at = ids[j] ? at : j + 1;
    for (int64_t j = places, at = j; j--;) room.end[j] = at = ids[j] ? at : j;
    for (int64_t i = 0, j = w; i < size; ++i, ++j) {
        const int64_t reach = run.reach[start + i];
        room.first[i] = ids[j] ? std::max(room.begin[j], j - reach) : j;
        room.last[i] = ids[j] ? std::min(room.end[j], j + reach + 1) : j + 1;
        const int64_t others = room.last[i] - room.first[i] - 1;
        room.inverse[i] = others ? 1.0f / others : 0.0f;
    }
}

// The mean of a context; returned is its score with the word in its middle.
float find_mean(const Run& run, Room& room, int64_t i) {
    const int64_t D = room.D;
    const float *to = &room.sums[room.last[i] * D], *from = &room.sums[room.first[i] * D];
    const float *own = &room.words[(i + run.window) * D], *right = &room.asked[i * D];
    Lane score = {};
    for (int64_t d = 0; d < D; d += LANES) {
        const Lane mean = (load(to + d) - load(from + d) - load(own + d)) * room.inverse[i];
        store(&room.means[i * D + d], mean);
        score += mean * load(right + d);
    }
    float total = 0;
    for (int64_t l = 0; l < LANES; ++l) total += score[l];
    return total;
}

// The means of contexts and, in place of the words in their middle, what these ask of them.
void find_means(const Run& run, Room& room, int64_t size) {
    const int64_t D = room.D;
    std::fill_n(&room.sums[0], D, 0.0f);
    for (int64_t n = 0; n < (size + 2 * run.window) * D; n += LANES)
        store(&room.sums[n + D], load(&room.sums[n]) + load(&room.words[n]));
    for (int64_t i = 0; i < size; i += LANES) {
        const int64_t end = std::min(i + LANES, size);
        for (int64_t j = i; j < end; ++j) room.up[j] = find_mean(run, room, j);
        store(&room.up[i], run.rate * sigmoid(-load(&room.up[i])));
        for (int64_t j = i; j < end; ++j) {
            if (room.inverse[j] == 0) room.up[j] = 0;
            for (int64_t d = 0; d < D; d += LANES)
                store(&room.asked[j * D + d], load(&room.asked[j * D + d]) * room.up[j]);
        }
    }
}

// The scores (rows, K) of a set's centres with its negatives.
void score_set(const Run& run, Room& room, int64_t rows, int64_t set) {
    const float *means = &room.means[set * room.D], *wrong = &room.wrong[set * room.K * room.D];
    for (int64_t first = 0; first < rows; first += CENTRES)
        for (int64_t k = 0; k < room.K; k += DRAWS) {
            Lane tile[LANES] = {};
            for (int64_t d = 0; d < room.D; d += LANES) {
                Lane x[DRAWS];
                for (int64_t n = 0; n < DRAWS; ++n) x[n] = load(wrong + (k + n) * room.D + d);
                for (int64_t r = 0; r < CENTRES; ++r) {
                    const int64_t row = std::min(first + r, rows - 1) * run.S;
                    const Lane y = load(means + row * room.D + d);
                    for (int64_t n = 0; n < DRAWS; ++n) tile[r * DRAWS + n] += x[n] * y;
                }
            }
            const Lane scores = folded(tile);
            for (int64_t r = 0; r < CENTRES; ++r)
                std::memcpy(&room.down[(first + r) * room.K + k], (const float*)&scores + r * DRAWS,
                            DRAWS * sizeof(float));
        }
}

// What is asked of these scores; nothing of a centre that was drawn itself.
void ask_set(const Run& run, Room& room, int64_t start, int64_t rows, int64_t set,
             const int32_t* drawn) {
    for (int64_t n = 0; n < rows * room.K; n += LANES)
        store(&room.down[n], -run.rate * run.weight * sigmoid(load(&room.down[n])));
    for (int64_t r = 0; r < rows; ++r) {
        const int64_t i = set + r * run.S;
        float* down = &room.down[r * room.K];
        for (int64_t k = 0; k < run.K; ++k)
            down[k] = drawn[k] == run.ids[start + i] || room.inverse[i] == 0 ? 0 : down[k];
    }
}

// A matrix whose rows, and the numbers of a row, are any distance apart.
struct Matrix {
    float* at;
    int64_t rows, row, step;
};

// Of y += a b: two rows of y, N lanes of each, which stay in registers.
template <int N>
inline void tile(float* y, float* z, const float* a, const float* c, int64_t step, const float* b,
                 int64_t inner, int64_t row) {
    Lane first[N] = {}, second[N] = {};
    for (int64_t k = 0; k < inner; ++k, b += row, a += step, c += step)
        for (int l = 0; l < N; ++l) {
            const Lane x = load(b + l * LANES);
            first[l] += *a * x, second[l] += *c * x;
        }
    for (int l = 0; l < N; ++l) store(y + l * LANES, load(y + l * LANES) + first[l]);
    for (int l = 0; l < N && z != y; ++l) store(z + l * LANES, load(z + l * LANES) + second[l]);
}

void product(const Matrix& y, const Matrix& a, const Matrix& b, int64_t D) {
    for (int64_t i = 0; i < y.rows; i += 2) {
        const int64_t next = std::min(i + 1, y.rows - 1);
        float *to = y.at + i * y.row, *also = y.at + next * y.row;
        const float *p = a.at + i * a.row, *q = a.at + next * a.row;
        int64_t d = 0;
        for (; d + 5 * LANES <= D; d += 5 * LANES)
            tile<5>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
        for (; d + 2 * LANES <= D; d += 2 * LANES)
            tile<2>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
        for (; d < D; d += LANES) tile<1>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
    }
}

void ask_negatives(const Run& run, Room& room, int64_t start, int64_t size, const int32_t* drawn) {
    room.change.clear();
    for (int64_t set = 0; set < std::min(run.S, size); ++set, drawn += run.K) {
        const int64_t rows = (size - set + run.S - 1) / run.S, apart = run.S * room.D;
        score_set(run, room, rows, set);
        ask_set(run, room, start, rows, set, drawn);
        const int64_t first = set * room.K * room.D;
        product({&room.asked[set * room.D], rows, apart, 1}, {&room.down[0], rows, room.K, 1},
                {&room.wrong[first], run.K, room.D, 1}, room.D);
        product({&room.change[first], run.K, room.D, 1}, {&room.down[0], run.K, 1, room.K},
                {&room.means[set * room.D], rows, apart, 1}, room.D);
    }
}

void change_outputs(const Run& run, Room& room, int64_t start, int64_t size, const int32_t* drawn) {
    for (int64_t i = 0; i < size; ++i) {
        float* mean = &room.means[i * room.D];
        for (int64_t d = 0; d < room.D; d += LANES) store(mean + d, load(mean + d) * room.up[i]);
        add(run.output(run.ids[start + i]), mean, run.D);
    }
    for (int64_t n = 0; n < run.S * run.K; ++n)
        add(run.output(drawn[n]), &room.change[room.row(run, n)], run.D);
}

// The words of a context share what is asked: it enters at its first place, and leaves at its last.
void change_vectors(const Run& run, Room& room, int64_t start, int64_t size) {
    const int64_t D = room.D, w = run.window;
    room.sums.clear();
    for (int64_t i = 0; i < size; ++i) {
        float *enters = &room.sums[room.first[i] * D], *leaves = &room.sums[room.last[i] * D];
        float* asked = &room.asked[i * D];
        for (int64_t d = 0; d < D; d += LANES) {
            const Lane share = load(asked + d) * room.inverse[i];
            store(asked + d, share);
            store(enters + d, load(enters + d) + share);
            store(leaves + d, load(leaves + d) - share);
        }
    }
    for (int64_t j = 0; j < size + 2 * w; ++j) {
        const bool centre = j >= w && j < w + size;  // which takes no part in its own context
        float *sum = &room.sums[j * D], *own = centre ? &room.asked[(j - w) * D] : nullptr;
        for (int64_t d = 0; d < D; d += LANES) {
            const Lane all = load(sum + d);
            store(sum + D + d, load(sum + D + d) + all);
            if (centre) store(sum + d, all - load(own + d));
        }
        if (run.ids[start - w + j]) add(run.vector(start - w + j), sum, run.D);
    }
}

void descend(const Run& run, Room& room, int64_t number) {
    const int64_t start = number * run.block, size = std::min(run.block, run.count - start);
    const int32_t* drawn = run.negatives + number * run.S * run.K;
    gather(run, room, start, size, drawn);
    find_contexts(run, room, start, size);
    find_means(run, room, size);
    ask_negatives(run, room, start, size, drawn);
    change_outputs(run, room, start, size, drawn);
    change_vectors(run, room, start, size);
}

}  // namespace

extern "C" void word2vec(float* vectors, float* outputs, const int32_t* ids, const uint8_t* reach,
                         const int32_t* negatives, int64_t count, int64_t block, int64_t S,
                         int64_t K, int64_t D, int64_t window, int64_t threads, float rate,
                         float weight) {
    const Run run = {vectors, outputs, ids + window, reach,  negatives, count, block,
                     S,       K,       D,            window, rate,      weight};
    const int64_t blocks = (count + block - 1) / block;
    const int64_t stretch = std::min(AT_ONCE, (blocks + threads - 1) / threads);
#pragma omp parallel num_threads(threads)
    {
        Room room(run);
#pragma omp for schedule(dynamic, stretch)
        for (int64_t number = 0; number < blocks; ++number) descend(run, room, number);
    }
}

package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/table/dictionary"
)

// details are the details of the payloads of package event whose names match, as EventBridge sends them: without blanks.
func details(t testing.TB, pattern string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "event", "testdata", pattern))
	require.NoError(t, err)
	var all [][]byte
	for _, file := range files {
		raw, err := os.ReadFile(file) //nolint:gosec // the repository's own testdata
		require.NoError(t, err)
		var envelope struct{ Detail json.RawMessage }
		require.NoError(t, json.Unmarshal(raw, &envelope))
		var detail bytes.Buffer
		require.NoError(t, json.Compact(&detail, envelope.Detail))
		all = append(all, detail.Bytes())
	}
	require.NotEmpty(t, all)
	return all
}

func TestDetailsComeBackAsTheyWere(t *testing.T) {
	large := bytes.Repeat([]byte("the same text again "), 20_000)
	for _, detail := range append(details(t, "*-running.json"), nil, []byte("{}"), large) {
		back, err := decompress(compress(detail))
		require.NoError(t, err)
		require.True(t, bytes.Equal(detail, back))
	}
}

func TestAFrameNamesItsDictionary(t *testing.T) {
	var header zstd.Header
	require.NoError(t, header.Decode(compress(details(t, "task-bridge-running.json")[0])))
	require.EqualValues(t, dictionary.Current, header.DictionaryID)
}

func TestAFrameWithoutADictionaryIsRead(t *testing.T) {
	plain, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	detail := details(t, "task-bridge-running.json")[0]
	back, err := decompress(plain.EncodeAll(detail, nil))
	require.NoError(t, err)
	require.Equal(t, detail, back)
}

func TestAFrameOfAnUnknownDictionaryIsRefusedByItsID(t *testing.T) {
	future, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(40_000, bytes.Repeat([]byte("other"), 100)))
	require.NoError(t, err)
	_, err = decompress(future.EncodeAll([]byte("some other text"), nil))
	require.ErrorIs(t, err, zstd.ErrUnknownDictionary)
	require.ErrorContains(t, err, "dictionary 40000")
}

// The release before the one that writes with a new dictionary has it to read with.
func TestMoreDictionariesAreReadThanWritten(t *testing.T) {
	const nextID = dictionary.Current + 1
	samples := details(t, "task-*running.json")
	next, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: nextID, Contents: samples, History: samples[0][:200], Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedDefault,
	})
	require.NoError(t, err)
	known := append(dictionary.All(), dictionary.Dictionary{ID: nextID, Bytes: next})
	later, err := zstd.NewWriter(nil, zstd.WithEncoderDict(next))
	require.NoError(t, err)
	for id, frame := range map[uint32][]byte{
		dictionary.Current: mustEncoder(known).EncodeAll(samples[0], nil), nextID: later.EncodeAll(samples[0], nil),
	} {
		var header zstd.Header
		require.NoError(t, header.Decode(frame))
		require.Equal(t, id, header.DictionaryID)
		back, err := mustDecoder(known).DecodeAll(frame, nil)
		require.NoError(t, err)
		require.Equal(t, samples[0], back)
	}
}

// What was written with a dictionary is lost when it changes.
func TestADictionaryNeverChanges(t *testing.T) {
	sums := map[uint32]string{}
	for _, d := range dictionary.All() {
		sum := sha256.Sum256(d.Bytes)
		sums[d.ID] = hex.EncodeToString(sum[:])
	}
	require.Equal(t, map[uint32]string{32768: "5c60867fd50d00367b5998d6131f06a7d8824a4409261d84b564169081c55c74"}, sums)
}

func TestDetailsOfRunningTasksAreShort(t *testing.T) {
	var sizes []int
	for _, detail := range details(t, "task-*running.json") {
		sizes = append(sizes, len(compress(detail)))
	}
	slices.Sort(sizes)
	require.LessOrEqual(t, sizes[len(sizes)/2], 420, "of %d", sizes)
}

func BenchmarkCompress(b *testing.B) {
	detail := details(b, "task-bridge-running.json")[0]
	packed := compress(detail)
	b.Run("compress", func(b *testing.B) {
		for b.Loop() {
			packed = compress(detail)
		}
		b.ReportMetric(float64(len(detail)), "B-before")
		b.ReportMetric(float64(len(packed)), "B-after")
	})
	b.Run("decompress", func(b *testing.B) {
		for b.Loop() {
			_, _ = decompress(packed)
		}
	})
}

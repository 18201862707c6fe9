package table

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/blox/blox/internal/table/dictionary"
)

// maxDetailBytes bounds what a compressed detail may grow to: ECS's largest are a few tens of kilobytes, and DynamoDB's
// items end at 400 KB.
const maxDetailBytes = 8 << 20

// Encoder and decoder are stateless in this use, and safe for concurrent callers.
var (
	zstdEncoder = mustEncoder(dictionary.All())
	zstdDecoder = mustDecoder(dictionary.All())
)

// mustEncoder takes the fastest level: with the dictionary the others make a detail 10 bytes shorter in twice the time
// and more.
func mustEncoder(known []dictionary.Dictionary) *zstd.Encoder {
	options := []zstd.EOption{
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedFastest),
	}
	for _, d := range known {
		if d.ID == dictionary.Current {
			options = append(options, zstd.WithEncoderDict(d.Bytes))
		}
	}
	e, err := zstd.NewWriter(nil, options...)
	if err != nil {
		panic(err) // options are constant
	}
	return e
}

func mustDecoder(known []dictionary.Dictionary) *zstd.Decoder {
	options := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDetailBytes)}
	for _, d := range known {
		options = append(options, zstd.WithDecoderDicts(d.Bytes))
	}
	d, err := zstd.NewReader(nil, options...)
	if err != nil {
		panic(err) // options are constant
	}
	return d
}

func compress(detail []byte) []byte { return zstdEncoder.EncodeAll(detail, nil) }

// decompress reads what compress wrote, with any of the dictionaries or without one: the frame says which.
func decompress(packed []byte) ([]byte, error) {
	detail, err := zstdDecoder.DecodeAll(packed, nil)
	if errors.Is(err, zstd.ErrUnknownDictionary) {
		var header zstd.Header
		if headerErr := header.Decode(packed); headerErr != nil {
			err = headerErr
		}
		return nil, fmt.Errorf("decompressing a stored detail: dictionary %d, known are those of %d and before: %w",
			header.DictionaryID, dictionary.Current, err)
	}
	if err != nil {
		return nil, fmt.Errorf("decompressing a stored detail: %w", err)
	}
	return detail, nil
}

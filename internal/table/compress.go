package table

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// maxDetailBytes bounds what a compressed detail may grow to: ECS's largest are a few tens of kilobytes, and DynamoDB's
// items end at 400 KB.
const maxDetailBytes = 8 << 20

// Encoder and decoder are stateless in this use, and safe for concurrent callers.
var (
	zstdEncoder = mustEncoder()
	zstdDecoder = mustDecoder()
)

func mustEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // options are constant
	}
	return e
}

func mustDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDetailBytes))
	if err != nil {
		panic(err) // options are constant
	}
	return d
}

func compress(detail []byte) []byte { return zstdEncoder.EncodeAll(detail, nil) }

func decompress(packed []byte) ([]byte, error) {
	detail, err := zstdDecoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("decompressing a stored detail: %w", err)
	}
	return detail, nil
}

package local

import (
	"context"
	"os"
	"testing"
	"time"
	"log/slog"
)

func TestSmoke(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	err := Run(ctx, Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: 20, Seed: 1, Store: "memory", Demo: true, Out: os.Stdout, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	if err != nil {
		t.Fatal(err)
	}
}

package stack

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Function is a deployed Lambda function as the emulated Lambda API knows it.
type Function struct {
	Name        string // what Blox calls it, such as drive
	LogicalID   string
	Deployed    string // its name in the account
	ARN         string
	Role        string // logical id
	Environment map[string]string
	Timeout     time.Duration
	MemoryMB    int
	// Corrected are variables whose values the emulator had not worked out, and which are the template's instead.
	Corrected []string
	// Reserved is its reserved concurrency, 0 if it has none.
	Reserved int
	Zip      []byte
}

// maxZipBytes is Lambda's limit for a zip.
const maxZipBytes = 50 << 20

// Download is how code is fetched.
type Download struct {
	Client   *http.Client
	Endpoint string // the emulator's
	// Sign signs a request to its S3.
	Sign func(*http.Request) error
}

// Functions reads the stack's functions, their code included.
func (t *Template) Functions(ctx context.Context, api *lambda.Client, download Download) ([]Function, error) {
	var functions []Function
	for _, r := range t.OfType("AWS::Lambda::Function") {
		out, err := api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &r.PhysicalID})
		if err != nil {
			return nil, fmt.Errorf("reading function %s: %w", r.LogicalID, err)
		}
		c := out.Configuration
		f := Function{
			LogicalID: r.LogicalID, Deployed: aws.ToString(c.FunctionName), ARN: aws.ToString(c.FunctionArn),
			Timeout: time.Duration(aws.ToInt32(c.Timeout)) * time.Second, MemoryMB: int(aws.ToInt32(c.MemorySize)),
		}
		if c.Environment != nil {
			f.Environment = c.Environment.Variables
		}
		if out.Concurrency != nil {
			f.Reserved = int(aws.ToInt32(out.Concurrency.ReservedConcurrentExecutions))
		}
		if err := t.correct(r, &f); err != nil {
			return nil, err
		}
		if f.Name, err = nameOf(f.Environment); err != nil {
			return nil, fmt.Errorf("function %s: %w", r.LogicalID, err)
		}
		if f.Role, err = RoleOf(r.Properties["Role"]); err != nil {
			return nil, fmt.Errorf("function %s: %w", f.Name, err)
		}
		if f.Zip, err = t.code(ctx, r, download, aws.ToString(out.Code.Location)); err != nil {
			return nil, fmt.Errorf("downloading the code of function %s: %w", f.Name, err)
		}
		if sum := sha256.Sum256(f.Zip); base64.StdEncoding.EncodeToString(sum[:]) != aws.ToString(c.CodeSha256) {
			return nil, fmt.Errorf("the code of function %s has another hash than the deployed function", f.Name)
		}
		functions = append(functions, f)
	}
	return functions, nil
}

// code downloads a function's zip from where Lambda says it is. Some emulators name a place of AWS's, which is not there:
// then it is the object that the template names, in the emulator's S3. Either way its hash must be the function's.
func (t *Template) code(ctx context.Context, r Resource, d Download, location string) ([]byte, error) {
	if at, err := url.Parse(location); err == nil && !strings.HasSuffix(at.Hostname(), ".amazonaws.com") {
		return fetch(ctx, d.Client, location, nil)
	}
	var properties struct {
		Code struct{ S3Bucket, S3Key string }
	}
	if err := t.Resolved(r, &properties); err != nil {
		return nil, err
	}
	object, err := url.JoinPath(d.Endpoint, properties.Code.S3Bucket, properties.Code.S3Key)
	if err != nil {
		return nil, err
	}
	return fetch(ctx, d.Client, object, d.Sign)
}

// correct replaces the values that the emulator did not work out.
func (t *Template) correct(r Resource, f *Function) error {
	var properties struct {
		Environment struct{ Variables map[string]string }
	}
	for _, name := range slices.Sorted(maps.Keys(f.Environment)) {
		if !IsObject(f.Environment[name]) {
			continue
		}
		if err := t.Resolved(r, &properties); err != nil {
			return err
		}
		f.Environment[name] = properties.Environment.Variables[name]
		f.Corrected = append(f.Corrected, name)
	}
	return nil
}

// nameOf tells the functions apart by what they are told to do.
func nameOf(environment map[string]string) (string, error) {
	if handler := environment["BLOX_HANDLER"]; handler != "" {
		return handler, nil
	}
	if environment["BLOX_EVENTS_DLQ_URL"] != "" {
		return "ingest", nil
	}
	if environment["BLOX_RECONCILE_MINUTES"] != "" {
		return "reconcile", nil
	}
	return "", fmt.Errorf("its environment is none of Blox's: it has neither BLOX_HANDLER, BLOX_EVENTS_DLQ_URL nor BLOX_RECONCILE_MINUTES")
}

func fetch(ctx context.Context, client *http.Client, location string, sign func(*http.Request) error) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, err
	}
	if sign != nil {
		if err := sign(request); err != nil {
			return nil, err
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxZipBytes+1))
	if len(data) > maxZipBytes {
		return nil, fmt.Errorf("more than %d bytes", maxZipBytes)
	}
	return data, err
}

// maxBinaryBytes bounds an unpacked file; Lambda takes 250 MB of them.
const maxBinaryBytes = 250 << 20

// Unpack writes a function's zip into a folder, as Lambda does before it runs what is in it.
func Unpack(archive []byte, directory string) error {
	reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return fmt.Errorf("opening the zip: %w", err)
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, file := range reader.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		if err := unpackFile(root, file); err != nil {
			return fmt.Errorf("unpacking %s: %w", file.Name, err)
		}
	}
	return nil
}

func unpackFile(root *os.Root, file *zip.File) (err error) {
	if folder := filepath.Dir(file.Name); folder != "." {
		if err := root.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	// A zip made where files have no mode is made to run all the same, as Lambda does for bootstrap.
	out, err := root.OpenFile(file.Name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, io.LimitReader(in, maxBinaryBytes)); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

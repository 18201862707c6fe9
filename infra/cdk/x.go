package main

import (
	_ "github.com/aws/aws-cdk-go/awscdk/v2"
	_ "github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	_ "github.com/aws/constructs-go/constructs/v10"
	_ "github.com/aws/jsii-runtime-go"
	_ "github.com/blox/blox/internal/table/schema"
	_ "github.com/cdklabs/cdk-nag-go/cdknag/v2"
	_ "github.com/goccy/go-yaml"
	_ "github.com/stretchr/testify/require"
)

func main() {}

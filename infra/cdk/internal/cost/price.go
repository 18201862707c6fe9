package cost

// PricesAsOf is when the prices were looked up.
const PricesAsOf = "November 2026"

// Price is what AWS asks for in us-east-1, without free tiers and discounts.
type Price struct {
	What string
	USD  float64
	Per  string
	// Each is the number of units that USD pays for.
	Each float64
	// From is the page of the price list.
	From string
}

// of is what a number of units costs.
func (p Price) of(units float64) float64 { return p.USD * units / p.Each }

const (
	lambdaPage     = "https://aws.amazon.com/lambda/pricing/"
	dynamoDBPage   = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
	sqsPage        = "https://aws.amazon.com/sqs/pricing/"
	cloudWatchPage = "https://aws.amazon.com/cloudwatch/pricing/"
)

// The prices.
var (
	lambdaRequests  = Price{"Lambda, requests", 0.20, "million", million, lambdaPage}
	lambdaARM       = Price{"Lambda, arm64", 0.0000133334, "GB-second", 1, lambdaPage}
	lambdaX86       = Price{"Lambda, x86_64", 0.0000166667, "GB-second", 1, lambdaPage}
	writeUnits      = Price{"DynamoDB, write units on demand", 0.625, "million", million, dynamoDBPage}
	readUnits       = Price{"DynamoDB, read units on demand", 0.125, "million", million, dynamoDBPage}
	tableStorage    = Price{"DynamoDB, storage", 0.25, "GB-month", 1, dynamoDBPage}
	recoveryStorage = Price{"DynamoDB, point-in-time recovery", 0.20, "GB-month", 1, dynamoDBPage}
	sqsStandard     = Price{"SQS, standard", 0.40, "million requests", million, sqsPage}
	sqsFIFO         = Price{"SQS, FIFO", 0.50, "million requests", million, sqsPage}
	scheduler       = Price{"EventBridge Scheduler", 1.00, "million invocations", million, "https://aws.amazon.com/eventbridge/pricing/"}
	busEvents       = Price{"EventBridge, custom events", 1.00, "million", million, "https://aws.amazon.com/eventbridge/pricing/"}
	crossAccount    = Price{"EventBridge, events from another account or region", 1.00, "million", million, "https://aws.amazon.com/eventbridge/pricing/"}
	apiRequests     = Price{"API Gateway, REST", 3.50, "million requests", million, "https://aws.amazon.com/api-gateway/pricing/"}
	alarmMetrics    = Price{"CloudWatch, alarm", 0.10, "metric and month", 1, cloudWatchPage}
	customMetrics   = Price{"CloudWatch, custom metric", 0.30, "month", 1, cloudWatchPage}
	dashboards      = Price{"CloudWatch, dashboard", 3.00, "month", 1, cloudWatchPage}
	logIngestion    = Price{"CloudWatch Logs, ingestion", 0.50, "GB", 1, cloudWatchPage}
	traces          = Price{"X-Ray, traces", 5.00, "million", million, "https://aws.amazon.com/xray/pricing/"}
	keys            = Price{"KMS, customer key", 1.00, "month", 1, "https://aws.amazon.com/kms/pricing/"}
)

// Prices is all of them, for the table of prices.
func Prices() []Price {
	return []Price{
		lambdaRequests, lambdaARM, lambdaX86, writeUnits, readUnits, tableStorage, recoveryStorage, sqsStandard, sqsFIFO,
		scheduler, busEvents, crossAccount, apiRequests, alarmMetrics, customMetrics, dashboards, logIngestion, traces, keys,
	}
}

package main

// row is a heading of the dashboard and the panels under it.
type row struct {
	title  string
	panels []panel
}

// panel is one graph. Its unit is one of Grafana's.
type panel struct {
	title, unit, help string
	queries           []query
}

// query is one expression; legend names its series, with {{label}} for the value of one.
type query struct{ expr, legend string }

// The controllers' names, which other operators could have as well.
const controllers = `(cluster)?environment|linkedaccount|integrationconfig|webhook|publicworkflow|eventtrigger`

var dashboard = []row{
	{"Objects", []panel{
		{"Not Ready, by kind and reason", "short", "Stalled needs a person, Reconciling goes on by itself. See docs/reasons.md.", []query{
			{`sum by (kind, condition, reason) (cobalt_objects{condition!="Ready"})`, "{{kind}} {{condition}} {{reason}}"},
		}},
		{"Ready, by kind", "short", "", []query{{`sum by (kind) (cobalt_objects{condition="Ready"})`, "{{kind}}"}}},
		{"Time to Ready", "s", "From the creation of an object until it was Ready for the first time.", []query{
			{`histogram_quantile(0.5, sum by (kind, le) (rate(cobalt_time_to_ready_seconds_bucket[1h])))`, "{{kind}} median"},
			{`histogram_quantile(0.95, sum by (kind, le) (rate(cobalt_time_to_ready_seconds_bucket[1h])))`, "{{kind}} 95 %"},
		}},
		{"Drift corrected or reported", "short", "Times in an hour that Cobalt differed from a spec that had not changed.", []query{
			{`sum by (kind) (increase(cobalt_drift_detected_total[1h]))`, "{{kind}}"},
		}},
		{"Executions that ended", "short", "Runs of EventTriggers in an hour, by how they ended.", []query{
			{`sum by (phase) (increase(cobalt_executions_total[1h]))`, "{{phase}}"},
		}},
		{"Session tokens and what is left behind", "short", "In an hour: renewals, and deleted objects that Cobalt cannot delete.", []query{
			{`sum by (result) (increase(cobalt_session_token_renewals_total[1h]))`, "token {{result}}"},
			{`sum by (kind) (increase(cobalt_objects_left_behind_total[1h]))`, "{{kind}} left behind"},
		}},
	}},
	{"Calls to Cobalt", []panel{
		{"Calls, by operation", "reqps", "", []query{
			{`sum by (operation) (rate(cobalt_api_requests_total{environment=~"$environment"}[$__rate_interval]))`, "{{operation}}"},
		}},
		{"Share of calls that failed", "percentunit", "No answer, a useless one, or a 5xx; and throttled ones (429).", []query{
			{
				`sum by (environment) (rate(cobalt_api_requests_total` +
					`{environment=~"$environment",status=~"5..|5xx|no_answer|unusable"}[$__rate_interval])) ` +
					`/ sum by (environment) (rate(cobalt_api_requests_total{environment=~"$environment"}[$__rate_interval]))`,
				"{{environment}} failed",
			},
			{
				`sum by (environment) (rate(cobalt_api_requests_total{environment=~"$environment",status="429"}[$__rate_interval])) ` +
					`/ sum by (environment) (rate(cobalt_api_requests_total{environment=~"$environment"}[$__rate_interval]))`,
				"{{environment}} throttled",
			},
		}},
		{"Latency, 95 %", "s", "From sending to the last byte, without the turn at the limiter.", []query{
			{
				`histogram_quantile(0.95, sum by (operation, le) ` +
					`(rate(cobalt_api_request_duration_seconds_bucket{environment=~"$environment"}[$__rate_interval])))`,
				"{{operation}}",
			},
		}},
		{"Environments that may be called", "short", "0 while nothing may be called; the environment's status says why.", []query{
			{`cobalt_environment_open{environment=~"$environment"}`, "{{environment}}"},
		}},
		{"Limiter: rate now and at most", "reqps", "Lowered by half when Cobalt throttles; recovers with success.", []query{
			{`cobalt_limiter_rate{environment=~"$environment"}`, "{{environment}} now"},
			{`cobalt_limiter_rate_limit{environment=~"$environment"}`, "{{environment}} at most"},
		}},
		{"Limiter: work put off", "short", "Times a second, and seconds of waiting a second.", []query{
			{`sum by (environment) (rate(cobalt_limiter_deferrals_total{environment=~"$environment"}[$__rate_interval]))`, "{{environment}} times"},
			{
				`sum by (environment) (rate(cobalt_limiter_deferred_seconds_total{environment=~"$environment"}[$__rate_interval]))`,
				"{{environment}} seconds",
			},
		}},
		{"Limiter: objects that wait for their turn", "short", "The environment's message says so once one has waited for a minute.", []query{
			{`cobalt_limiter_waiting{environment=~"$environment"}`, "{{environment}}"},
		}},
		{"Limiter: longest wait", "s", "Of the objects that wait for their turn now.", []query{
			{`cobalt_limiter_waiting_seconds{environment=~"$environment"}`, "{{environment}}"},
		}},
		{"Slow environments", "short", "1 while calls take over a second: one object of a kind is worked on at a time.", []query{
			{`cobalt_environment_slow{environment=~"$environment"}`, "{{environment}}"},
		}},
		{"Sync intervals, stretched by", "short", "1 is as asked for; more means that not all looks fit into half of rateLimit.", []query{
			{`cobalt_sync_interval_stretch_ratio{environment=~"$environment"}`, "{{environment}}"},
		}},
	}},
	{"The operator", []panel{
		{"Objects that wait for a worker", "short", "Because their environment has its share of the workers.", []query{
			{`cobalt_workers_waiting{environment=~"$environment"}`, "{{environment}}"},
		}},
		{"Work queues", "short", "Objects that nobody has taken up.", []query{
			{`sum by (name) (workqueue_depth{name=~"` + controllers + `"})`, "{{name}}"},
		}},
		{"Reconciles that ended in an error", "ops", "", []query{
			{
				`sum by (controller) (rate(controller_runtime_reconcile_errors_total{controller=~"` + controllers + `"}[$__rate_interval]))`,
				"{{controller}}",
			},
		}},
		{"Replicas, by version", "short", "", []query{{`sum by (version) (cobalt_build_info)`, "{{version}}"}}},
	}},
}

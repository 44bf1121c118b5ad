#include "azexporter/app/daemon.h"

#include <malloc.h>

#include <thread>

#include "alertmanager_discovery.h"
#include "azexporter/app/retention.h"
#include "azexporter/app/state.h"
#include "azexporter/app/version.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/model/regexp.h"
#include "azexporter/notify/sender.h"
#include "azexporter/promql/engine.h"
#include "azexporter/remote/tee.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/web/server.h"
#include "cluster_rules.h"
#include "datasource.h"
#include "external_url.h"
#include "leadership.h"
#include "notifications.h"
#include "remote_storage.h"
#include "rule_groups.h"

namespace azexporter::app {
namespace {

// Rules start when every source answered once, or when this has passed: an alert about what is
// missing must not fire only because nothing was asked yet.
constexpr std::int64_t kRulesStartDeadlineMs = 30'000;

// Nothing is shown before every source answered, or this has passed: what was not asked yet would
// look like what cannot be asked.
constexpr std::int64_t kFirstPageMs = 5'000;

}  // namespace

struct Daemon::Impl {
  Impl(Flags flags_in, config::Config config_in, DaemonDeps deps_in,
       std::unique_ptr<State> state_in)
      : flags(std::move(flags_in)),
        deps(std::move(deps_in)),
        config(std::move(config_in)),
        state(std::move(state_in)),
        store({.retention_ms = config.storage.retention_ms, .max_bytes = config.storage.max_bytes}),
        engine(flags.engine, deps.clock),
        sender({}, {deps.clock, deps.log, [this] { return Leads(); }}),
        alertmanagers(sender, deps.log),
        remote_write({}, {deps.clock, deps.log}),
        tee(store, remote_write),
        datasource(config.datasource ? std::make_unique<Datasource>(*config.datasource) : nullptr),
        rules({}, {engine, store, tee, deps.clock, deps.log,
                   [this](const rules::Rule& rule, const std::vector<rules::Alert>& alerts) {
                     if (Leads()) sender.Send(ToSend(rule, alerts, external_url));
                   },
                   state.get(), [this] { return asked_all.load(); },
                   datasource ? datasource->evaluator() : rules::Evaluator()}),
        self(Version(), Revision()),
        appender(tee) {}

  base::Result<void> Listen(std::int64_t retention_ms, std::function<base::Result<void>()> reload);
  // Puts the parts of a configuration into force that every reload may change.
  void Apply(const config::Config& next, std::vector<rules::RuleGroup> groups)
      AZX_REQUIRES(config_mu);
  // Puts the rules of the files and of the cluster into force.
  void ApplyRules() AZX_REQUIRES(config_mu);
  // Notes the outcome of a reload for those who ask for the configuration.
  void Show(const config::Config& next);
  void ShowRefusal();
  // Takes over what the last run left.
  void Restore() AZX_REQUIRES(config_mu);
  // Writes what the next run is to know, beside the alerts.
  void Keep(model::TimestampMs now_ms);
  void CollectLoop(const std::stop_token& stop);
  void CollectOnce(model::TimestampMs now_ms);
  void Publish(std::shared_ptr<collect::Round> round);
  void RulesLoop(const std::stop_token& stop);
  // Without an election everybody leads.
  bool Leads() const { return !leadership || leadership->IsLeader(); }
  void OnLeading(bool leading);
  // Shows the latest round, without what the leader alone exposes where this is not the leader.
  void ShowRound();

  // constant after construction
  const Flags flags;
  const DaemonDeps deps;
  std::string external_url;                // set by Listen, before anything runs
  std::unique_ptr<Leadership> leadership;  // set by Create; null without an election
  // guarded by config_mu, which a round holds too: a reload never meets half of one
  base::Mutex config_mu;
  config::Config config AZX_GUARDED_BY(config_mu);
  std::unique_ptr<Observer> observer AZX_GUARDED_BY(config_mu);
  std::vector<rules::RuleGroup> file_groups AZX_GUARDED_BY(config_mu);
  ClusterRules cluster_rules AZX_GUARDED_BY(config_mu){deps.log, flags.engine.parser};
  // guarded by view_mu, which nobody holds for long
  base::Mutex view_mu;
  web::ConfigView view AZX_GUARDED_BY(view_mu);
  std::vector<storage::WantedSeries> looked_back_to AZX_GUARDED_BY(view_mu);
  // guarded by shown_mu
  base::Mutex shown_mu;
  std::shared_ptr<const collect::Round> whole_round AZX_GUARDED_BY(shown_mu);
  // own synchronisation
  const std::unique_ptr<State> state;  // null: nothing is kept on disk
  storage::MemoryStore store;
  const promql::Engine engine;
  notify::Sender sender;
  AlertmanagerDiscovery alertmanagers;  // of the sender
  remote::Sender remote_write;
  remote::Tee tee;                               // what the collectors and rules write to
  const std::unique_ptr<Datasource> datasource;  // null: rules ask the store
  rules::Manager rules;                          // hands over to the sender
  collect::SelfMetrics self;
  collect::LatestRound latest;
  // of the collecting thread
  collect::SnapshotAppender appender;
  std::atomic<bool> synced = false;
  std::atomic<bool> asked_all = false;
  std::set<std::string> kept_zones;
  const std::int64_t publish_unsynced_at_ns = deps.clock.SteadyNs() + kFirstPageMs * 1'000'000;
  // last: it serves all of the above
  std::unique_ptr<web::Server> server;
};

base::Result<void> Daemon::Impl::Listen(std::int64_t retention_ms,
                                        std::function<base::Result<void>()> reload) {
  const auto shown_alertmanagers = [this] {
    web::AlertmanagersView shown{.active = {}, .dropped = alertmanagers.dropped()};
    for (const auto& one : sender.Stats().alertmanagers) shown.active.push_back(one.url);
    return shown;
  };
  AZX_ASSIGN_OR_RETURN(
      server, web::Server::Listen({.listen_address = flags.listen_address,
                                   .telemetry_path = flags.telemetry_path,
                                   .version = Version(),
                                   .revision = Revision(),
                                   .max_concurrency = flags.max_concurrency,
                                   .flags = flags.all,
                                   .start_time_ms = deps.clock.NowMs(),
                                   .retention_ms = retention_ms},
                                  {.latest = latest,
                                   .store = store,
                                   .engine = engine,
                                   .rules = rules,
                                   .clock = deps.clock,
                                   .log = deps.log,
                                   .reload = std::move(reload),
                                   .alertmanagers = shown_alertmanagers,
                                   .remote_write = flags.enable_remote_write ? &store : nullptr,
                                   .store_stats = [this] { return store.stats(); },
                                   .config =
                                       [this] {
                                         base::MutexLock lock(view_mu);
                                         return view;
                                       }}));
  // Known only now where the port is a free one.
  external_url =
      flags.external_url.empty() ? DefaultExternalUrl(server->url()) : flags.external_url;
  return {};
}

void Daemon::Impl::Apply(const config::Config& next, std::vector<rules::RuleGroup> groups) {
  alertmanagers.Configure(next.alerting, next.global.external_labels);
  remote_write.Configure(next.remote_write, next.global.external_labels);
  config = next;
  file_groups = std::move(groups);
  cluster_rules.SetSelection(next.prometheus_rules);
  ApplyRules();
}

void Daemon::Impl::ApplyRules() {
  std::vector<rules::RuleGroup> groups = file_groups;
  std::vector<rules::RuleGroup> of_cluster = cluster_rules.groups();
  std::move(of_cluster.begin(), of_cluster.end(), std::back_inserter(groups));
  Retention retention = MakeRetention(config.storage, groups, flags.engine.parser);
  store.SetRetention(std::move(retention.of), retention.longest_ms);
  {
    base::MutexLock lock(view_mu);
    looked_back_to = LookedBackTo(groups, flags.engine.parser);
  }
  rules.SetGroups(std::move(groups), {.default_interval_ms = config.global.evaluation_interval_ms,
                                      .external_labels = config.global.external_labels,
                                      .external_url = external_url,
                                      .resend_delay_ms = flags.resend_delay_ms,
                                      .more_to_come = !cluster_rules.complete()});
}

void Daemon::Impl::Restore() {
  if (!state) return;
  const auto warn = [this](std::string_view what, const base::Error& error) {
    deps.log.Warn("not restored", {{"what", std::string(what)}, {"error", error.message()}});
  };
  if (auto zones = state->SeenZones(); zones) {
    observer->AddSeenZones(*zones);
    kept_zones = std::move(*zones);
  } else {
    warn("zones seen", zones.error());
  }
  const auto samples = state->RestoreSamples(store);
  if (!samples) warn("samples", samples.error());
  const auto alerts = rules.Restore();
  if (!alerts) warn("alerts", alerts.error());
  deps.log.Info("restored", {{"alerts", std::to_string(alerts.value_or(0))},
                             {"samples", std::to_string(samples.value_or(0))},
                             {"zones", std::to_string(kept_zones.size())}});
}

// A failure is told by the state itself, and made good by the next call.
void Daemon::Impl::Keep(model::TimestampMs now_ms) {
  if (!state) return;
  std::vector<storage::WantedSeries> wanted;
  {
    base::MutexLock lock(view_mu);
    wanted = looked_back_to;
  }
  static_cast<void>(state->SaveSamples(store, wanted, now_ms));
  std::set<std::string> zones;
  {
    base::MutexLock lock(config_mu);
    zones = observer->seen_zones();
  }
  if (zones != kept_zones && state->SaveSeenZones(zones)) kept_zones = std::move(zones);
}

void Daemon::Impl::Show(const config::Config& next) {
  // Passwords stand in files of their own, but a URL of a probe may hold one.
  auto text = model::ReplaceAll("://[^/@\\s]+@", "://<secret>@", next.text);
  base::MutexLock lock(view_mu);
  view = {.yaml = text ? std::move(*text) : "",
          .external_labels = next.global.external_labels,
          .last_reload_ok = true,
          .loaded_at_ms = deps.clock.NowMs()};
}

void Daemon::Impl::ShowRefusal() {
  base::MutexLock lock(view_mu);
  view.last_reload_ok = false;
}

void Daemon::Impl::CollectOnce(model::TimestampMs now_ms) {
  auto round = std::make_shared<collect::Round>();
  bool all_answered = false;
  {
    base::MutexLock lock(config_mu);
    // Before the round is made: what it holds is then at least what had answered by now.
    all_answered = observer->synced();
    if (!asked_all) asked_all = observer->asked_all();
    *round = observer->MakeRound(now_ms);
    const auto cluster = observer->cluster_state();
    self.Record(round->snapshot, *cluster);
    alertmanagers.Update(*cluster);
    if (cluster_rules.Update(*cluster)) ApplyRules();
    if (config.prometheus_rules) self.RecordRefusedRules(cluster_rules.refused());
  }
  // What nobody was asked for yet looks like what cannot be asked: it is neither shown nor judged.
  const bool show = all_answered || synced || deps.clock.SteadyNs() > publish_unsynced_at_ns;
  if (show) {
    Publish(std::move(round));
    Keep(now_ms);
  }
  if (all_answered && !synced.exchange(true)) {
    malloc_trim(0);  // the first lists needed more than is needed from now on
    deps.log.Info("every source answered, rules begin");
  }
}

void Daemon::Impl::Publish(std::shared_ptr<collect::Round> round) {
  self.RecordNotifications(CountsOf(sender.Stats()));
  if (leadership) self.RecordLeader(Leads());
  if (const auto counts = server->remote_write()) self.RecordRemoteWrite(*counts);
  self.RecordRemoteStorage(CountsOf(remote_write.Stats()));
  if (state) self.RecordState(state->counts());
  round->snapshot.blocks.push_back(self.ToBlock());
  const rules::GroupViews groups = rules.Groups();
  round->snapshot.blocks.push_back(AlertCounts(groups));
  round->snapshot.blocks.push_back(RuleCounts(groups));
  if (remote_write.has_targets()) remote_write.SetMetadata(MetadataOf(round->snapshot));
  if (auto appended = appender.Append(round->snapshot); !appended) {
    deps.log.Error("snapshot not stored", {{"error", appended.error().message()}});
  }
  store.Truncate(round->snapshot.timestamp_ms);
  {
    base::MutexLock lock(shown_mu);
    whole_round = std::move(round);
  }
  ShowRound();
}

void Daemon::Impl::ShowRound() {
  base::MutexLock lock(shown_mu);
  if (!whole_round) return;
  latest.Publish(Leads() ? whole_round : WithoutCluster(*whole_round));
}

void Daemon::Impl::OnLeading(bool leading) {
  self.RecordLeader(leading);
  {
    base::MutexLock lock(shown_mu);
    if (whole_round) whole_round = WithBlock(*whole_round, self.ToBlock());
  }
  ShowRound();
  // The one that led before may have told of none of them.
  if (leading) rules.NotifyAll();
}

void Daemon::Impl::CollectLoop(const std::stop_token& stop) {
  // At the start a round is made as often as this until every source answered, so that the first
  // page is not an empty one for a whole interval.
  constexpr std::int64_t kStartPauseMs = 200;
  // A round that begins a little late bears the time that was meant: equal intervals take the store
  // a fraction of the memory. Prometheus does the same with its scrapes.
  constexpr std::int64_t kToleranceMs = 20;
  std::int64_t due_ns = deps.clock.SteadyNs();
  model::TimestampMs last_ms = 0;
  std::int64_t interval_ms = kStartPauseMs;
  while (!stop.stop_requested()) {
    const std::int64_t late_ns = deps.clock.SteadyNs() - due_ns;
    if (late_ns > interval_ms * 1'000'000) due_ns += late_ns;  // rounds were missed: begin anew
    const model::TimestampMs now_ms = deps.clock.NowMs();
    const std::int64_t late_ms = now_ms - (last_ms + interval_ms);
    last_ms = late_ms >= 0 && late_ms <= kToleranceMs ? last_ms + interval_ms : now_ms;
    CollectOnce(last_ms);
    if (synced) {
      base::MutexLock lock(config_mu);
      interval_ms = config.global.collect_interval_ms;
    }
    due_ns += interval_ms * 1'000'000;
    const std::int64_t left_ms = (due_ns - deps.clock.SteadyNs() + 999'999) / 1'000'000;
    base::WaitFor(stop, std::max<std::int64_t>(left_ms, 1));
  }
}

void Daemon::Impl::RulesLoop(const std::stop_token& stop) {
  constexpr std::int64_t kLookMs = 50;
  for (std::int64_t waited_ms = 0; !synced && waited_ms < kRulesStartDeadlineMs;
       waited_ms += kLookMs) {
    if (!base::WaitFor(stop, kLookMs)) return;
  }
  if (!synced) deps.log.Warn("not every source answered, rules begin without them");
  rules.Run(stop);
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Daemon::~Daemon() = default;

base::Result<std::unique_ptr<Daemon>> Daemon::Create(const Flags& flags, DaemonDeps deps) {
  AZX_ASSIGN_OR_RETURN(config::Config config, flags.MakeConfig());
  AZX_ASSIGN_OR_RETURN(std::vector<rules::RuleGroup> groups,
                       LoadRuleGroups(config, flags.engine.parser));
  AZX_ASSIGN_OR_RETURN(std::unique_ptr<Observer> observer,
                       Observer::Create(config, {deps.clock, deps.log, deps.surroundings}));
  std::unique_ptr<State> state;
  if (!config.storage.path.empty()) {
    AZX_ASSIGN_OR_RETURN(state, State::Open(config.storage.path, deps.clock, deps.log));
  }
  auto impl = std::make_unique<Impl>(flags, config, std::move(deps), std::move(state));
  const kube::ClusterAccess* access = observer->access();
  {
    base::MutexLock lock(impl->config_mu);
    impl->observer = std::move(observer);
  }
  impl->self.RecordReload(true, impl->deps.clock.NowMs());
  if (config.kubernetes.leader_election) {
    AZX_ASSIGN_OR_RETURN(
        impl->leadership,
        Leadership::Create(*config.kubernetes.leader_election, access, impl->deps,
                           [raw = impl.get()](bool leading) { raw->OnLeading(leading); }));
  }
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(impl)));
  Impl& parts = *daemon->impl_;
  std::function<base::Result<void>()> reload;
  if (flags.enable_lifecycle) reload = [raw = daemon.get()] { return raw->Reload(); };
  AZX_RETURN_IF_ERROR(parts.Listen(config.storage.retention_ms, std::move(reload)));
  {
    base::MutexLock lock(parts.config_mu);
    parts.Apply(config, std::move(groups));
    parts.Restore();
  }
  parts.Show(config);
  return daemon;
}

void Daemon::Run(std::stop_token stop) {
  Impl& impl = *impl_;
  Observer* observer = nullptr;
  {
    base::MutexLock lock(impl.config_mu);
    observer = impl.observer.get();
  }
  observer->Start();
  if (impl.leadership) impl.leadership->Start();
  std::jthread collecting([&impl](std::stop_token s) { impl.CollectLoop(s); });
  std::jthread ruling([&impl](std::stop_token s) { impl.RulesLoop(s); });
  impl.server->Start();
  impl.deps.log.Info("azexporter is up", {{"version", Version()}, {"url", impl.server->url()}});

  base::WaitUntilStopped(stop);

  impl.deps.log.Info("stopping");
  impl.server->Stop();
  ruling.request_stop();
  if (impl.datasource) impl.datasource->Stop();
  collecting.request_stop();
  ruling.join();
  collecting.join();
  impl.sender.Stop();                            // no rule hands over any more
  if (impl.leadership) impl.leadership->Stop();  // then another may tell
  impl.remote_write.Stop();
  observer->Stop();
}

base::Result<void> Daemon::Reload() {
  Impl& impl = *impl_;
  const auto reload = [&impl]() -> base::Result<void> {
    AZX_ASSIGN_OR_RETURN(config::Config config, impl.flags.MakeConfig());
    AZX_ASSIGN_OR_RETURN(std::vector<rules::RuleGroup> groups,
                         LoadRuleGroups(config, impl.flags.engine.parser));
    {
      base::MutexLock lock(impl.config_mu);
      if (config.storage.path != impl.config.storage.path) {
        return base::BadData("a change of \"storage.path\" needs a restart");
      }
      if (config.datasource != impl.config.datasource) {
        return base::BadData("a change of \"datasource\" needs a restart");
      }
      AZX_RETURN_IF_ERROR(impl.observer->Reconfigure(config));
      impl.Apply(config, std::move(groups));
    }
    impl.Show(config);
    return {};
  };
  const auto reloaded = reload();
  impl.self.RecordReload(reloaded.has_value(), impl.deps.clock.NowMs());
  if (reloaded) {
    impl.deps.log.Info("configuration loaded");
  } else {
    impl.ShowRefusal();
    impl.deps.log.Error("configuration refused, the old one stays",
                        {{"error", reloaded.error().message()}});
  }
  return reloaded;
}

std::string Daemon::url() const { return impl_->server->url(); }

}  // namespace azexporter::app

BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE amazon_figure (
	id INTEGER NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	marketplace VARCHAR(8) NOT NULL, 
	window_days INTEGER NOT NULL, 
	late_ratio FLOAT, 
	average_response_seconds FLOAT, 
	read_at BIGINT NOT NULL, 
	source VARCHAR(24) NOT NULL, 
	body TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE amazon_task (
	"key" VARCHAR(160) NOT NULL, 
	state VARCHAR(24) NOT NULL, 
	next_at BIGINT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	body TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE answer_event (
	event_id VARCHAR NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_answer_event PRIMARY KEY (event_id)
);
CREATE TABLE bad_mail (
	id INTEGER NOT NULL, 
	mailbox VARCHAR(64) NOT NULL, 
	folder VARCHAR(255) NOT NULL, 
	uid BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	problem TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE decision (
	id INTEGER NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	thread_id BIGINT, 
	clock_id BIGINT, 
	message_id BIGINT, 
	"by" VARCHAR(80) NOT NULL, 
	at BIGINT NOT NULL, 
	made_at BIGINT NOT NULL, 
	until BIGINT, 
	source VARCHAR(16) NOT NULL, 
	reason TEXT, 
	revoked_at BIGINT, 
	revoked_by VARCHAR(80), 
	PRIMARY KEY (id)
);
CREATE TABLE delivery (
	id INTEGER NOT NULL, 
	reference VARCHAR(32) NOT NULL, 
	slot VARCHAR, 
	owner VARCHAR(32) NOT NULL, 
	purpose VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	receiver VARCHAR NOT NULL, 
	person VARCHAR, 
	whom VARCHAR NOT NULL, 
	page BOOLEAN NOT NULL, 
	status VARCHAR NOT NULL, 
	code INTEGER, 
	attempts INTEGER NOT NULL, 
	lookups INTEGER NOT NULL, 
	intent_at BIGINT NOT NULL, 
	next_attempt_at BIGINT NOT NULL, 
	sent_at BIGINT, 
	check_at BIGINT, 
	checks INTEGER NOT NULL, 
	delivered_at BIGINT, 
	provider_id VARCHAR, 
	reason VARCHAR, 
	error TEXT, 
	CONSTRAINT pk_delivery PRIMARY KEY (id), 
	CONSTRAINT uq_delivery_reference UNIQUE (reference), 
	CONSTRAINT uq_delivery_slot UNIQUE (slot)
);
INSERT INTO "delivery" VALUES(1,'25ded47a8a224e9f8d99caef164d67da',NULL,'7e69989891f942dcbfaa6aa3c42b8854','alert','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795233600000000,1795233690000000,1795233600000000,NULL,0,NULL,'1795233600.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(2,'441d461112184013bf90a418dda37fb2',NULL,'7e69989891f942dcbfaa6aa3c42b8854','alert','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795233602000000,1795233692000000,1795233602000000,NULL,0,NULL,'1795233602.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(3,'d3605763b38a49b2a412b554fff7dc78',NULL,'7e69989891f942dcbfaa6aa3c42b8854','update','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795248002000000,1795248092000000,1795248002000000,NULL,0,NULL,'1795233600.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(4,'3e290596d2a34c6890ca77a07f4eee11',NULL,'7e69989891f942dcbfaa6aa3c42b8854','update','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795248004000000,1795248094000000,1795248004000000,NULL,0,NULL,'1795233602.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(5,'140be9b987cd413196394889da335383',NULL,'7e69989891f942dcbfaa6aa3c42b8854','update','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795255204000000,1795255294000000,1795255204000000,NULL,0,NULL,'1795233600.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(6,'8afe13a378ed40b48fa12b37aed087ed',NULL,'7e69989891f942dcbfaa6aa3c42b8854','alert','sms','oncall-sms','Ana','person:Ana',1,'sent',1,1,0,1795255204000000,1795255294000000,1795255204000000,NULL,1,1795255806000000,'SMe621a1a463634b5b85ad73fa52d203d6',NULL,NULL);
INSERT INTO "delivery" VALUES(7,'2084ba17b3024e388b5f2d7c520dd0aa',NULL,'7e69989891f942dcbfaa6aa3c42b8854','update','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795255206000000,1795255296000000,1795255206000000,NULL,0,NULL,'1795233602.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(8,'2a2e1ffbca844c76a16657dda5712e40',NULL,'7e69989891f942dcbfaa6aa3c42b8854','closed','slack','team',NULL,'receiver:team',0,'sent',NULL,1,0,1795257060000000,1795257150000000,1795257060000000,NULL,0,NULL,'1795233600.000000',NULL,NULL);
INSERT INTO "delivery" VALUES(9,'775c53fde798423a98ed4c648743a039',NULL,'7e69989891f942dcbfaa6aa3c42b8854','closed','sms','oncall-sms','Ana','person:Ana',0,'sent',NULL,1,0,1795257060000000,1795257150000000,1795257060000000,NULL,1,1795257090000000,'SMd0e2b17ec3b64849abae05eea11d4547',NULL,NULL);
CREATE TABLE evidence (
	account VARCHAR(64) NOT NULL, 
	marketplace VARCHAR(8) NOT NULL, 
	evidence VARCHAR(24) NOT NULL, 
	count BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	PRIMARY KEY (account, marketplace, evidence)
);
INSERT INTO "evidence" VALUES('acme-eu','FR','buyer_message',2,1795176000000000);
INSERT INTO "evidence" VALUES('acme-eu','FR','sent_reply',1,1795257000000000);
CREATE TABLE folder_cursor (
	mailbox VARCHAR(64) NOT NULL, 
	folder VARCHAR(255) NOT NULL, 
	uidvalidity BIGINT NOT NULL, 
	last_uid BIGINT NOT NULL, 
	state TEXT, 
	PRIMARY KEY (mailbox, folder)
);
INSERT INTO "folder_cursor" VALUES('support','INBOX',1,2,NULL);
INSERT INTO "folder_cursor" VALUES('support','Sent',1,1,NULL);
INSERT INTO "folder_cursor" VALUES('support','Junk',1,0,NULL);
CREATE TABLE frozen_policy (
	id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (digest)
);
INSERT INTO "frozen_policy" VALUES(1,'4fea86a3515c0774fcae7748bb531fb826119859f1e22157a0ce6f7cc3283fcd','{"acknowledgement_expires":7200.0,"look_ahead":null,"match":{"accounts":[],"labels":[],"marketplaces":[],"min_priority":null,"text":null},"name":"default","steps":[{"notify":["team"],"remaining":28800.0,"repeat_every":0.0},{"notify":["oncall-sms"],"remaining":7200.0,"repeat_every":0.0},{"notify":["team","oncall-sms"],"remaining":0.0,"repeat_every":0.0}],"version":1}');
CREATE TABLE mailbox_health (
	mailbox VARCHAR(64) NOT NULL, 
	last_success_at BIGINT, 
	failing_since BIGINT, 
	trouble TEXT, 
	reason VARCHAR(16), 
	told_at BIGINT, 
	PRIMARY KEY (mailbox)
);
INSERT INTO "mailbox_health" VALUES('support',1795257300000000,NULL,NULL,NULL,NULL);
CREATE TABLE mailbox_outage (
	id INTEGER NOT NULL, 
	mailbox VARCHAR(64) NOT NULL, 
	from_at BIGINT NOT NULL, 
	to_at BIGINT, 
	reason VARCHAR(16) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE mark (
	name VARCHAR(120) NOT NULL, 
	at BIGINT NOT NULL, 
	detail TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "mark" VALUES('hash_key',1795176000000000,'7bc0f02dd9de73a3');
INSERT INTO "mark" VALUES('first_started',1795176000000000,'');
CREATE TABLE message (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	identity BIGINT NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	accounts TEXT, 
	marketplace VARCHAR(8), 
	mailbox VARCHAR(64) NOT NULL, 
	place VARCHAR(8) NOT NULL, 
	received_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	authenticity VARCHAR(8) NOT NULL, 
	trusted BOOLEAN NOT NULL, 
	excluded BOOLEAN DEFAULT false NOT NULL, 
	spoken_for BIGINT, 
	alias_hash BIGINT, 
	suffix_hash BIGINT, 
	order_hash BIGINT, 
	token_hash BIGINT, 
	name_hash BIGINT, 
	rfc_hash BIGINT, 
	digest_hash BIGINT, 
	reference_hashes TEXT, 
	refused_at BIGINT, 
	notice_type VARCHAR(80), 
	labels TEXT DEFAULT '' NOT NULL, 
	priority INTEGER DEFAULT '0' NOT NULL, 
	language VARCHAR(16), 
	signals TEXT DEFAULT '' NOT NULL, 
	text TEXT, 
	thread_id BIGINT, 
	target_seconds INTEGER, 
	answered_at BIGINT, 
	by_hand BOOLEAN DEFAULT false NOT NULL, 
	waived_at BIGINT, 
	counted VARCHAR(16), 
	UNIQUE (identity)
);
INSERT INTO "message" VALUES(1,1278396144973903139,'buyer_message','acme-eu',NULL,'FR','support','inbox',1795176000000000,1795176600000000,'unknown',1,0,NULL,6319454921572350368,NULL,-1473079879950468406,8453631121709622897,6526507764958678618,81806613437572394,-4191450704563133469,NULL,NULL,'BBC_MESSAGE_SENT_TO_MERCHANT','delivery',20,'fr','type_header relay_sender signed_link',NULL,1,86400,1795257000000000,0,NULL,'answered');
INSERT INTO "message" VALUES(2,2756447581952585297,'buyer_message','acme-eu',NULL,'FR','support','inbox',1795176000000000,1795176600000000,'unknown',1,0,NULL,-6417380627772852411,NULL,5156874414896731059,5436407547164154985,6526507764958678618,-934491662707834451,-3980189985162319032,NULL,NULL,'BBC_MESSAGE_SENT_TO_MERCHANT','delivery',20,'fr','type_header relay_sender signed_link',NULL,2,86400,NULL,0,NULL,NULL);
INSERT INTO "message" VALUES(3,-283885349759354233,'seller_reply','acme-eu',NULL,'FR','support','sent',1795257000000000,1795257060000000,'unknown',1,0,NULL,6319454921572350368,NULL,-1473079879950468406,NULL,NULL,-7072798098816751661,-799622293989503160,NULL,NULL,NULL,'',0,NULL,'sent_to_relay',NULL,1,NULL,NULL,0,NULL,NULL);
CREATE TABLE notification (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	family VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	receiver VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	person VARCHAR, 
	whom VARCHAR NOT NULL, 
	slot VARCHAR NOT NULL, 
	thread_id BIGINT, 
	clock_id BIGINT, 
	step INTEGER, 
	occurrence INTEGER NOT NULL, 
	page BOOLEAN NOT NULL, 
	rank INTEGER NOT NULL, 
	due_at BIGINT NOT NULL, 
	next_attempt_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	status VARCHAR NOT NULL, 
	reason VARCHAR, 
	attempts INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	closed_at BIGINT, 
	delivery_id INTEGER, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_notification PRIMARY KEY (id), 
	CONSTRAINT fk_notification_delivery_id_delivery FOREIGN KEY(delivery_id) REFERENCES delivery (id), 
	CONSTRAINT uq_notification_key UNIQUE ("key")
);
INSERT INTO "notification" VALUES(1,'alert:1:0:team:-:slack:0','alert:1:0:team:-:slack:0','alert','team','slack',NULL,'receiver:team','slack:receiver:team:1',1,1,0,0,0,1,1795233600000000,1795233600000000,1795262400000000,'sent',NULL,1,1795233600000000,1795233600000000,1795257060000000,1,'{}');
INSERT INTO "notification" VALUES(2,'alert:2:0:team:-:slack:0','alert:2:0:team:-:slack:0','alert','team','slack',NULL,'receiver:team','slack:receiver:team:2',2,2,0,0,0,1,1795233600000000,1795233600000000,1795262400000000,'sent',NULL,1,1795233600000000,1795233602000000,NULL,2,'{}');
INSERT INTO "notification" VALUES(3,'update:1:team:1795248002000000','update:1:team:1795248002000000','update','team','slack',NULL,'receiver:team','slack:receiver:team:1',1,1,NULL,0,0,1,1795248002000000,1795248002000000,NULL,'sent',NULL,1,1795248002000000,1795248002000000,1795257060000000,3,'{}');
INSERT INTO "notification" VALUES(4,'update:2:team:1795248002000000','update:2:team:1795248002000000','update','team','slack',NULL,'receiver:team','slack:receiver:team:2',2,2,NULL,0,0,1,1795248002000000,1795248002000000,NULL,'sent',NULL,1,1795248002000000,1795248004000000,NULL,4,'{}');
INSERT INTO "notification" VALUES(5,'alert:1:1:oncall-sms:Ana:sms:0','alert:1:1:oncall-sms:Ana:sms:0','alert','oncall-sms','sms','Ana','person:Ana','sms:person:Ana',1,1,1,0,1,0,1795255204000000,1795255204000000,1795262400000000,'sent',NULL,1,1795255204000000,1795255204000000,1795257060000000,6,'{}');
INSERT INTO "notification" VALUES(6,'alert:2:1:oncall-sms:Ana:sms:0','alert:2:1:oncall-sms:Ana:sms:0','alert','oncall-sms','sms','Ana','person:Ana','sms:person:Ana',2,2,1,0,1,0,1795255204000000,1795255204000000,1795262400000000,'sent',NULL,1,1795255204000000,1795255204000000,NULL,6,'{}');
INSERT INTO "notification" VALUES(7,'update:1:team:1795255204000000','update:1:team:1795255204000000','update','team','slack',NULL,'receiver:team','slack:receiver:team:1',1,1,NULL,0,0,1,1795255204000000,1795255204000000,NULL,'sent',NULL,1,1795255204000000,1795255204000000,1795257060000000,5,'{}');
INSERT INTO "notification" VALUES(8,'update:2:team:1795255204000000','update:2:team:1795255204000000','update','team','slack',NULL,'receiver:team','slack:receiver:team:2',2,2,NULL,0,0,1,1795255204000000,1795255204000000,NULL,'sent',NULL,1,1795255204000000,1795255206000000,NULL,7,'{}');
INSERT INTO "notification" VALUES(9,'closed:1:team:-:slack:1795257060000000','closed:1:team:-:slack:1795257060000000','closed','team','slack',NULL,'receiver:team','slack:receiver:team:1',1,1,NULL,0,0,1,1795257060000000,1795257060000000,NULL,'sent',NULL,1,1795257060000000,1795257060000000,NULL,8,'{}');
INSERT INTO "notification" VALUES(10,'closed:1:oncall-sms:Ana:sms:1795257060000000','closed:1:oncall-sms:Ana:sms:1795257060000000','closed','oncall-sms','sms','Ana','person:Ana','sms:person:Ana',1,1,NULL,0,0,1,1795257060000000,1795257060000000,NULL,'sent',NULL,1,1795257060000000,1795257060000000,NULL,9,'{}');
CREATE TABLE order_fact (
	account VARCHAR(64) NOT NULL, 
	order_hash BIGINT NOT NULL, 
	fetched_at BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (account, order_hash)
);
CREATE TABLE post (
	id INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	thread_id BIGINT NOT NULL, 
	receiver VARCHAR NOT NULL, 
	post_channel VARCHAR NOT NULL, 
	post_message VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_post PRIMARY KEY (id), 
	CONSTRAINT uq_post_channel_place_thread_id UNIQUE (channel, place, thread_id)
);
INSERT INTO "post" VALUES(1,'slack','C0123',1,'team','C0123','1795233600.000000',1795233600000000);
INSERT INTO "post" VALUES(2,'slack','C0123',2,'team','C0123','1795233602.000000',1795233602000000);
CREATE TABLE proven_phone (
	phone_hash BIGINT NOT NULL, 
	person VARCHAR(80) NOT NULL, 
	proven_at BIGINT NOT NULL, 
	PRIMARY KEY (phone_hash)
);
CREATE TABLE reply_code (
	id INTEGER NOT NULL, 
	person VARCHAR NOT NULL, 
	code INTEGER NOT NULL, 
	delivery_id INTEGER NOT NULL, 
	issued_at BIGINT NOT NULL, 
	freed_at BIGINT, 
	CONSTRAINT pk_reply_code PRIMARY KEY (id), 
	CONSTRAINT fk_reply_code_delivery_id_delivery FOREIGN KEY(delivery_id) REFERENCES delivery (id)
);
INSERT INTO "reply_code" VALUES(1,'Ana',1,6,1795255204000000,NULL);
CREATE TABLE review (
	id INTEGER NOT NULL, 
	"key" VARCHAR(120) NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	marketplace VARCHAR(8), 
	message_id BIGINT, 
	order_id VARCHAR(32), 
	detail TEXT NOT NULL, 
	threads TEXT DEFAULT '' NOT NULL, 
	count INTEGER DEFAULT '1' NOT NULL, 
	received_at BIGINT NOT NULL, 
	settled_at BIGINT, 
	settled_by VARCHAR(80), 
	decision VARCHAR(40), 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
CREATE TABLE silence (
	id INTEGER NOT NULL, 
	matcher TEXT NOT NULL, 
	author VARCHAR(80) NOT NULL, 
	comment TEXT NOT NULL, 
	starts_at BIGINT NOT NULL, 
	ends_at BIGINT NOT NULL, 
	expired_at BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE sla_clock (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	thread_id BIGINT NOT NULL, 
	start_message_id BIGINT NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	marketplace VARCHAR(8), 
	started_at BIGINT NOT NULL, 
	target_seconds INTEGER NOT NULL, 
	deadline_at BIGINT NOT NULL, 
	messages INTEGER NOT NULL, 
	first BOOLEAN NOT NULL, 
	verified BOOLEAN NOT NULL, 
	backlog BOOLEAN DEFAULT false NOT NULL, 
	answered_at BIGINT, 
	answered_route VARCHAR(16), 
	answered_by VARCHAR(80), 
	waived_at BIGINT, 
	waived_by VARCHAR(80), 
	closed_at BIGINT, 
	counted VARCHAR(32) DEFAULT '' NOT NULL, 
	policy_id BIGINT NOT NULL, 
	step_reached INTEGER DEFAULT '-1' NOT NULL, 
	occurrence INTEGER DEFAULT '0' NOT NULL, 
	told_at BIGINT, 
	look_ahead_told_until BIGINT, 
	reopened_count INTEGER DEFAULT '0' NOT NULL, 
	reopened_told INTEGER DEFAULT '0' NOT NULL, 
	phones_held BOOLEAN DEFAULT false NOT NULL, 
	acknowledged_by VARCHAR(80), 
	acknowledged_at BIGINT, 
	acknowledgement_expires_at BIGINT, 
	snoozed_until BIGINT, 
	next_due_at BIGINT, 
	shown_state VARCHAR(16), 
	FOREIGN KEY(policy_id) REFERENCES frozen_policy (id), 
	FOREIGN KEY(thread_id) REFERENCES thread (id)
);
INSERT INTO "sla_clock" VALUES(1,1,1,'acme-eu','FR',1795176000000000,86400,1795262400000000,1,1,1,0,1795257000000000,'mail',NULL,NULL,NULL,1795257000000000,'met',1,1,0,1795255204000000,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,'at_risk');
INSERT INTO "sla_clock" VALUES(2,2,2,'acme-eu','FR',1795176000000000,86400,1795262400000000,1,1,1,0,NULL,NULL,NULL,NULL,NULL,NULL,'',1,1,0,1795255204000000,NULL,0,0,0,NULL,NULL,NULL,NULL,1795262400000000,'at_risk');
CREATE TABLE tally (
	name VARCHAR(48) NOT NULL, 
	labels VARCHAR(255) NOT NULL, 
	value FLOAT NOT NULL, 
	PRIMARY KEY (name, labels)
);
INSERT INTO "tally" VALUES('message_labels','acme-eudelivery',2.0);
INSERT INTO "tally" VALUES('messages','acme-eubuyer_message',2.0);
INSERT INTO "tally" VALUES('notifications','teamslacksent',7.0);
INSERT INTO "tally" VALUES('notifications','oncall-smssmssent',3.0);
INSERT INTO "tally" VALUES('clock_labels','acme-eudeliverymet',1.0);
INSERT INTO "tally" VALUES('clocks','acme-euFRmet',1.0);
INSERT INTO "tally" VALUES('response_seconds_bucket','acme-euFR86400',1.0);
INSERT INTO "tally" VALUES('response_seconds_sum','acme-euFR',81000.0);
INSERT INTO "tally" VALUES('messages','acme-euseller_reply',1.0);
CREATE TABLE thread (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	account VARCHAR(64) NOT NULL, 
	marketplace VARCHAR(8), 
	order_id VARCHAR(32), 
	asin VARCHAR(16), 
	alias VARCHAR(128), 
	reply_address VARCHAR(192), 
	seller_central_url TEXT, 
	no_response_url TEXT, 
	order_hash BIGINT, 
	alias_hash BIGINT, 
	labels TEXT DEFAULT '' NOT NULL, 
	priority INTEGER DEFAULT '0' NOT NULL, 
	language VARCHAR(16), 
	place VARCHAR(8) NOT NULL, 
	revision INTEGER DEFAULT '0' NOT NULL, 
	closed_at BIGINT, 
	erased_at BIGINT, 
	merged_into BIGINT
);
INSERT INTO "thread" VALUES(1,'acme-eu','FR','402-1234567-1234567','B0EXAMPLE1','k7c2v9m4x1q8w5z@marketplace.amazon.fr','k7c2v9m4x1q8w5z@marketplace.amazon.fr','https://sellercentral.amazon.fr/messaging/inbox','https://sellercentral.amazon.fr/messaging/no-response-needed?t=T1&m=M1&mp=A13V1IB3VIYZZH&c=A1MERCHANT&h=abc&s=1',-1473079879950468406,6319454921572350368,'delivery',20,'fr','inbox',1,1795257000000000,NULL,NULL);
INSERT INTO "thread" VALUES(2,'acme-eu','FR','402-7654321-7654321','B0EXAMPLE1','other1aaaaaaaaa@marketplace.amazon.fr','other1aaaaaaaaa@marketplace.amazon.fr','https://sellercentral.amazon.fr/messaging/inbox','https://sellercentral.amazon.fr/messaging/no-response-needed?t=T2&m=M2&mp=A13V1IB3VIYZZH&c=A1MERCHANT&h=abc&s=1',5156874414896731059,-6417380627772852411,'delivery',20,'fr','inbox',0,NULL,NULL,NULL);
CREATE INDEX amazon_figure_read ON amazon_figure (account, read_at);
CREATE INDEX decision_made ON decision (made_at);
CREATE INDEX decision_message ON decision (message_id);
CREATE INDEX decision_thread ON decision (thread_id);
CREATE INDEX message_alias ON message (alias_hash);
CREATE INDEX message_digest ON message (digest_hash);
CREATE INDEX message_name ON message (name_hash);
CREATE INDEX message_order ON message (order_hash);
CREATE INDEX message_received ON message (kind, received_at);
CREATE INDEX message_rfc ON message (rfc_hash);
CREATE INDEX message_thread ON message (thread_id);
CREATE INDEX message_token ON message (token_hash);
CREATE INDEX review_open ON review (account) WHERE settled_at IS NULL;
CREATE INDEX thread_alias ON thread (alias_hash);
CREATE INDEX thread_closed ON thread (closed_at);
CREATE INDEX thread_order ON thread (order_hash);
CREATE INDEX thread_order_id ON thread (order_id);
CREATE INDEX sla_clock_due ON sla_clock (next_due_at) WHERE closed_at IS NULL;
CREATE INDEX sla_clock_open ON sla_clock (account, marketplace, deadline_at) WHERE closed_at IS NULL;
CREATE INDEX sla_clock_open_deadline ON sla_clock (deadline_at) WHERE closed_at IS NULL;
CREATE INDEX sla_clock_thread ON sla_clock (thread_id);
CREATE INDEX ix_delivery_channel_whom_intent_at ON delivery (channel, whom, intent_at);
CREATE INDEX ix_delivery_check_at ON delivery (check_at);
CREATE INDEX ix_delivery_status_next_attempt_at ON delivery (status, next_attempt_at);
CREATE INDEX ix_post_thread_id ON post (thread_id);
CREATE INDEX ix_notification_channel_status_rank_due_at ON notification (channel, status, rank, due_at);
CREATE INDEX ix_notification_clock_id ON notification (clock_id);
CREATE INDEX ix_notification_delivery_id ON notification (delivery_id);
CREATE INDEX ix_notification_family ON notification (family);
CREATE INDEX ix_notification_slot_status_next_attempt_at ON notification (slot, status, next_attempt_at);
CREATE INDEX ix_notification_status_next_attempt_at ON notification (status, next_attempt_at);
CREATE INDEX ix_notification_thread_id ON notification (thread_id);
CREATE INDEX ix_reply_code_delivery_id ON reply_code (delivery_id);
CREATE UNIQUE INDEX uq_reply_code_in_use ON reply_code (person, code) WHERE freed_at IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('message',3);
INSERT INTO "sqlite_sequence" VALUES('thread',2);
INSERT INTO "sqlite_sequence" VALUES('sla_clock',2);
COMMIT;

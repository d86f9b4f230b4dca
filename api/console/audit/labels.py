# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words of the audit log, and of the reasons to look at personal data."""

from collections.abc import Mapping

from api.console.wording import ErrorWords, Translate, Words


def words(_: Translate) -> Words:
    """Labels by group and code, for templates."""
    return {
        "purposes": {
            "traffic_control": _("Traffic control"),
            "violation_case": _("Case of a violation"),
            "dossier": _("Work on a dossier"),
            "toll_dispute": _("Toll complaint"),
            "citizen_request": _("Request of a citizen"),
            "inspection": _("Inspection"),
        },
        "roles": {
            "administrator": _("Administrator"),
            "operator": _("Operator"),
            "reviewer": _("Reviewer"),
            "clerk": _("Clerk"),
            "approver": _("Approver"),
            "toll_operator": _("Toll operator"),
            "toll_auditor": _("Toll auditor"),
            "data_protection_officer": _("Data protection officer"),
            "api_client": _("Program with a key"),
            "demonstrator": _("Demonstration"),
        },
        "actor_kinds": {
            "user": _("User"),
            "service": _("Program"),
            "command": _("Command at the server"),
        },
        "audit_actions": {
            **_actions(_),
            **_protection_actions(_),
            **_look_actions(_),
            **_webhook_actions(_),
            **_factor_actions(_),
        },
        "audit_subjects": _subjects(_),
        "audit_permissions": _permissions(_),
    }


def _actions(_: Translate) -> Mapping[str, str]:
    """Acts; one without words is shown by its code."""
    return {
        "outside_account_linked": _("Outside account linked"),
        "outside_account_unlinked": _("Link to an outside account taken away"),
        "outside_login_refused": _("Signing in by an outside account refused"),
        "act_refused": _("Act refused"),
        "area_changed": _("Area changed"),
        "area_removed": _("Area removed"),
        "alert_acknowledged": _("Alert taken on"),
        "alert_closed": _("Alert closed"),
        "alert_ended_by_dossier": _("Alert ended by a dossier"),
        "alert_opened": _("Alert opened"),
        "api_client_added": _("Program let in"),
        "api_key_revoked": _("Key of a program revoked"),
        "api_key_rotated": _("Key of a program renewed"),
        "audit_looked_at": _("Audit log looked at"),
        "audit_verified": _("Audit log checked"),
        "badge_revoked": _("Badge revoked"),
        "device_certificate_renewed": _("Certificate of a device renewed"),
        "device_certificates_revoked": _("Certificates of a device revoked"),
        "device_enrolled": _("Device enrolled"),
        "device_invited": _("Device invited"),
        "document_opened": _("Paper opened"),
        "dossier_approve": _("Dossier approved"),
        "dossier_hand_over": _("Result of a dossier handed over"),
        "dossier_looked_up": _("Dossier looked at"),
        "dossier_receive_supplement": _("Supplement to a dossier received"),
        "dossier_reject": _("Dossier rejected"),
        "dossier_request_supplement": _("Supplement to a dossier asked for"),
        "dossier_take_in": _("Dossier taken in"),
        "dossier_withdraw": _("Dossier withdrawn"),
        "list_looked_at": _("List looked at"),
        "licence_checked": _("Driver's licence checked"),
        "passage_looked_up": _("Passage looked at"),
        "passages_searched": _("Passages searched for a plate"),
        "login_refused": _("Login refused"),
        "password_changed": _("Own password changed"),
        "sessions_ended": _("Own sessions ended"),
        "signed_in": _("Signed in"),
        "password_reset": _("Password renewed"),
        "picture_looked_at": _("Picture looked at"),
        "live_frame_asked": _("Live picture asked for"),
        "permit_checked": _("Permit checked"),
        "quarantine_dropped": _("Message in quarantine dropped"),
        "quarantine_mended": _("Message in quarantine mended"),
        "quarantine_looked_at": _("Message in quarantine looked at"),
        "quarantine_retried": _("Message in quarantine tried again"),
        "registry_imported": _("Register imported"),
        "toll_account_topped_up": _("Toll account topped up"),
        "toll_crossing_decided": _("Toll crossing decided"),
        "toll_crossing_looked_up": _("Toll crossing looked at"),
        "toll_crossing_refunded": _("Toll crossing refunded"),
        "toll_day_closed": _("Toll day closed"),
        "toll_setup_imported": _("Toll data imported"),
        "unit_changed": _("Unit changed"),
        "unit_removed": _("Unit removed"),
        "user_placed": _("Unit and areas of a user changed"),
        "user_added": _("User added"),
        "user_disabled": _("User shut out"),
        "user_enabled": _("User let in again"),
        "user_role_set": _("Role changed"),
        "vehicle_looked_up": _("Vehicle looked at"),
        "vehicles_searched": _("Vehicles searched"),
        "watchlist_entry_added": _("Added to the watchlist"),
        "watchlist_entry_removed": _("Taken off the watchlist"),
        "watchlist_searched": _("Watchlist searched"),
    }


def _protection_actions(_: Translate) -> Mapping[str, str]:
    """The same for data protection."""
    return {
        "data_request_advanced": _("Request about data moved on"),
        "data_request_looked_at": _("Request about data looked at"),
        "data_request_taken_in": _("Request about data taken in"),
        "erasure_certificate_opened": _("Certificate of erasure opened"),
        "finding_decided": _("Unusual look decided"),
        "looks_searched": _("Asked who looked at a plate"),
        "personal_data_erased": _("Personal data erased"),
        "rows_erased_by_date": _("Rows erased by date"),
        "personal_data_exported": _("Personal data exported"),
        "protection_rule_set": _("Rule for unusual looks changed"),
        "relative_added": _("Relative's plate added"),
        "relative_removed": _("Relative's plate removed"),
    }


def _look_actions(_: Translate) -> Mapping[str, str]:
    """Looks at many passages at once."""
    return {
        "passages_exported": _("Passages saved as a file"),
        "similar_readings_looked_at": _("Similar readings looked at"),
        "alike_plates_searched": _("Look-alike plates searched"),
        "companions_searched": _("Companions of a vehicle searched"),
    }


def _webhook_actions(_: Translate) -> Mapping[str, str]:
    """The same for webhooks."""
    return {
        "national_province_added": _("Program bound to a province"),
        "webhook_added": _("Webhook registered"),
        "webhook_secret_rotated": _("Secret of a webhook renewed"),
        "webhook_paused": _("Webhook paused"),
        "webhook_resumed": _("Webhook resumed"),
        "webhook_removed": _("Webhook removed"),
        "webhook_tested": _("Webhook tested"),
        "webhook_sent_again": _("Message of a webhook sent again"),
    }


def _subjects(_: Translate) -> Mapping[str, str]:
    """Kinds of things that acts are about."""
    return {
        "passage_list": _("List of passages"),
        "alert": _("Alert"),
        "api_client": _("Program with a key"),
        "webhook": _("Webhook"),
        "audit_chain": _("Chain of the audit log"),
        "audit_log": _("Audit log"),
        "badge": _("Badge"),
        "camera": _("Camera"),
        "device": _("Device"),
        "data_request": _("Request about data"),
        "dossier": _("Dossier"),
        "erasure": _("Erasure by date"),
        "finding": _("Unusual look"),
        "looks": _("Looks at a plate"),
        "protection_rule": _("Rule for unusual looks"),
        "relative": _("Relative's plate"),
        "driving_licence": _("Driver's licence"),
        "list": _("List"),
        "passage": _("Passage of a vehicle"),
        "passage_search": _("Search of passages"),
        "permission": _("Permission"),
        "province": _("Province"),
        "quarantined_message": _("Message in quarantine"),
        "picture": _("Picture"),
        "registry_import": _("Import of the register"),
        "toll_account": _("Toll account"),
        "toll_crossing": _("Toll crossing"),
        "toll_day": _("Toll day"),
        "toll_setup": _("Toll data"),
        "area": _("Area"),
        "unit": _("Unit"),
        "user": _("User"),
        "role": _("Role"),
        "vehicle": _("Registered vehicle"),
        "vehicle_search": _("Search of vehicles"),
        "watchlist_entry": _("Entry of the watchlist"),
    }


def _factor_actions(_: Translate) -> Mapping[str, str]:
    """Acts on second factors."""
    return {
        "second_factor_added": _("Second factor added"),
        "second_factor_removed": _("Second factor taken away"),
        "second_factor_reset": _("Lost second factor forgotten"),
        "second_factor_required": _("Second factor asked of a role"),
        "second_factor_waived": _("Second factor no longer asked of a role"),
        "recovery_codes_made": _("New recovery codes made"),
        "security_key_added": _("Security key added"),
        "security_key_counter_went_back": _("Security key refused: perhaps a copy"),
        "security_key_removed": _("Security key taken away"),
        "security_key_renamed": _("Security key renamed"),
    }


def _permissions(_: Translate) -> Mapping[str, str]:
    """What may be allowed to a role."""
    return {
        "see_passages": _("See passages"),
        "see_alerts": _("See alerts"),
        "handle_alerts": _("Handle alerts"),
        "see_watchlist": _("See the watchlist"),
        "edit_watchlist": _("Change the watchlist"),
        "look_up_vehicles": _("Look up vehicles"),
        "check_papers": _("Check papers"),
        "see_dossiers": _("See dossiers"),
        "take_in_dossiers": _("Take in dossiers"),
        "decide_dossiers": _("Decide dossiers"),
        "see_tolls": _("See toll crossings"),
        "review_tolls": _("Decide toll crossings"),
        "close_toll_days": _("Close toll days"),
        "see_audit": _("See the audit log"),
        "see_live_frames": _("Look at live pictures"),
        "protect_data": _("Look after data protection"),
        "see_devices": _("See cameras and devices"),
        "handle_quarantine": _("Deal with the quarantine"),
        "manage_users": _("Manage users"),
        "see_components": _("See the page of components"),
        "manage_keys": _("Manage keys of programs"),
        "manage_webhooks": _("Manage webhooks"),
        "see_national": _("See figures of provinces"),
        "push_national": _("Hand figures of a province up"),
    }


def error_words(_: Translate) -> Mapping[str, ErrorWords]:
    """What the errors' codes mean to a person."""
    return {
        "permission-denied": ErrorWords(
            title=_("Your role does not allow this"),
            advice=_(
                "Nothing was changed, and the attempt was written to the audit log. Ask the "
                "administrator if you need this for your work."
            ),
        ),
        "stale-version": ErrorWords(
            title=_("Somebody else changed this meanwhile"),
            advice=_("Nothing was changed by you. Open it again and decide on its newest state."),
        ),
    }

-- a copied database must not send with the company's money
UPDATE sms_devino_account
   SET mode = 'test',
       login = NULL,
       stored_password = NULL,
       database_uuid = NULL,
       balance_at = NULL;
